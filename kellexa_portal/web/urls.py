"""Addresses that belong to no app."""

from __future__ import annotations

from django.urls import path

from kellexa_portal.web import views

urlpatterns = [
    path("", views.home, name="home"),
]

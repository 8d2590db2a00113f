"""Addresses of the overview, under ``/accounts/``."""

from __future__ import annotations

from django.urls import path

from accounts.overview import views

app_name = "overview"

urlpatterns = [
    path("", views.checkup, name="checkup"),
]

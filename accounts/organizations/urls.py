"""Addresses under ``/accounts/organization/``."""

from __future__ import annotations

from django.urls import path

from accounts.organizations import views

app_name = "organizations"

urlpatterns = [
    path("", views.detail, name="detail"),
    path("members/", views.members, name="members"),
    path("policy/", views.policy, name="policy"),
    path("audit/", views.audit, name="audit"),
    path("switch/", views.switch, name="switch"),
]

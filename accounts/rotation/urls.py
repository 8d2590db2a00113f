"""Addresses of rotation, under ``/accounts/``."""

from __future__ import annotations

from django.urls import path

from accounts.rotation import views

app_name = "rotation"

urlpatterns = [
    path("organization/policy/rotation/", views.policy, name="policy"),
]

"""Addresses under ``/.well-known/``."""

from __future__ import annotations

from django.urls import path

from accounts.identity.views import well_known

app_name = "accounts_well_known"

urlpatterns = [path("change-password", well_known.change_password, name="change_password")]

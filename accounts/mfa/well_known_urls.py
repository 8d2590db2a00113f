"""Addresses under ``/.well-known/``."""

from __future__ import annotations

from django.urls import path

from accounts.mfa.views import well_known

app_name = "mfa_well_known"

urlpatterns = [path("passkey-endpoints", well_known.passkey_endpoints, name="passkey_endpoints")]

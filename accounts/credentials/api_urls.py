"""Addresses under ``/api/v1/``."""

from __future__ import annotations

from django.urls import path, re_path

from accounts.credentials import api
from accounts.credentials.verify import verify

app_name = "api"

urlpatterns = [
    path("keys/verify", verify, name="keys_verify"),
    path("openapi.json", api.schema, name="schema"),
    path("docs", api.reference, name="docs"),
    *api.gated_urls(),
    path("", api.not_found, name="root"),
    re_path(r"^(?P<rest>.+)$", api.not_found, name="missing"),
]

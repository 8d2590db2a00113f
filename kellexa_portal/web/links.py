"""Absolute addresses, from configuration only: a forged Host header never reaches a mail (case 25)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse


def absolute(name: str, **kwargs: Any) -> str:
    """The absolute address of the URL called ``name``, under ``PUBLIC_URL``."""
    return settings.PUBLIC_URL.rstrip("/") + reverse(name, kwargs=kwargs or None)

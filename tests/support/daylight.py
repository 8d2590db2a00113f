"""A time zone in which the day is young, so that "today" ends in some hours and not during a test."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from django.utils import timezone

WANTED_HOUR = 10


def zone() -> str:
    """A zone of whole hours where it is about ten in the morning (POSIX signs: west is positive)."""
    offset = (WANTED_HOUR - timezone.now().hour + 12) % 24 - 12
    return f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT"


def today() -> date:
    """The date there."""
    return timezone.now().astimezone(ZoneInfo(zone())).date()

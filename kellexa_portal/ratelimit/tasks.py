"""Housekeeping by the clock."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from kellexa_portal.ratelimit import actions


@shared_task(name="ratelimit.purge")
def purge() -> None:
    """Forgets counters that are whole again."""
    actions.purge_stale(now=timezone.now())

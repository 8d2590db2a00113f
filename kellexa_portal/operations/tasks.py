"""Work that proves that work is done."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from kellexa_portal.operations import health


@shared_task(name="operations.heartbeat")
def heartbeat() -> None:
    """Sent by beat, run by a worker: one note proves both."""
    health.record_heartbeat(now=timezone.now())

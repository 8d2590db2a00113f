"""The log's periodic work."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from kellexa_portal.audit.sealing import seal_pending


@shared_task(name="audit.seal")
def seal() -> None:
    """Seals what has been recorded since the last time."""
    seal_pending(now=timezone.now())

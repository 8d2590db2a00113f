"""The beat's way into what the clock has moved on."""

from __future__ import annotations

from celery import shared_task

from accounts.recovery.actions import sweeping
from kellexa_portal.core.actor import Actor


@shared_task(name="recovery.sweep")
def sweep() -> None:
    """Mails the links of waits that are over, and ends what ran out of time."""
    sweeping.sweep(actor=Actor.system("recovery"))

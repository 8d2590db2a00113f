"""The sweep of what is past its time."""

from __future__ import annotations

from celery import shared_task

from accounts.identity.actions import upkeep
from kellexa_portal.core.actor import Actor


@shared_task(name="accounts.purge_expired")
def purge_expired() -> None:
    """Hourly; nothing depends on it, since expiry is checked at use."""
    upkeep.purge_expired(actor=Actor.system("accounts"))

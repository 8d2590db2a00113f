"""Jobs of this app; each is one action."""

from __future__ import annotations

from celery import shared_task

from accounts.credentials import actions
from kellexa_portal.core.actor import Actor


@shared_task(name="credentials.expire_due")
def expire_due() -> None:
    """Puts the keys whose time has come on record."""
    actions.expire_due(actor=Actor.system("credentials"))

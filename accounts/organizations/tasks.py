"""The beat's way into organizations."""

from __future__ import annotations

from celery import shared_task

from accounts.organizations import actions
from kellexa_portal.core.actor import Actor


@shared_task(name="organizations.remind_due")
def remind_due() -> None:
    """Tells people in time that an organization is about to close to them."""
    actions.remind_due(actor=Actor.system("organizations"))

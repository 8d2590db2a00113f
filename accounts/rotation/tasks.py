"""The beat's way into rotation."""

from __future__ import annotations

from celery import shared_task

from accounts.rotation import actions
from kellexa_portal.core.actor import Actor


@shared_task(name="rotation.sweep")
def sweep() -> None:
    """Plans and sends what is due now."""
    actions.sweep(actor=Actor.system("rotation"))

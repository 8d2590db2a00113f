"""Sends what is due and removes what is old. Every task may be lost, doubled or killed."""

from __future__ import annotations

from celery import shared_task

from kellexa_portal.core.actor import Actor
from kellexa_portal.mail.actions import delivery, upkeep

MAIL = Actor.system("mail")


@shared_task(name="mail.deliver")
def deliver(*, mail_id: int) -> None:
    """Sends one mail right after the commit that deferred it."""
    delivery.deliver(actor=MAIL, mail_id=mail_id)


@shared_task(name="mail.deliver_due")
def deliver_due() -> None:
    """Sends whatever is due: retries, and what a lost message or a dead worker left."""
    delivery.deliver_due(actor=MAIL)


@shared_task(name="mail.purge")
def purge() -> None:
    """Removes bodies and mails whose time is over."""
    upkeep.purge(actor=MAIL)

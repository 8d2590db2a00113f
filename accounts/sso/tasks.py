"""The beat's way to domains whose record is to be looked at again."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts.sso.actions import domains
from kellexa_portal.core.actor import Actor


@shared_task(name="sso.check_domains")
def check_domains() -> None:
    """Looks for the records of verified domains that are due."""
    domains.check_due(actor=Actor.system("sso"), now=timezone.now())

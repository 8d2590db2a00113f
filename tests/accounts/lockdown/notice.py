"""What a person does with the mail about their account: finds the link, presses it."""

from __future__ import annotations

import re

from django.http import HttpResponse
from django.test import Client

from kellexa_portal.mail import body
from kellexa_portal.mail.models import OutboxMail

LINK = re.compile(r"https?://[^\s\"]+(/accounts/lockdown/[\w-]{43}/)")


def links_in(mail: OutboxMail) -> set[str]:
    """The paths of the "this wasn't me" links of a mail, in its text and its HTML."""
    content = body.of(mail)
    return {*LINK.findall(content.text), *LINK.findall(content.html)}


def newest(address: str, kind: str = "") -> OutboxMail:
    """The newest mail to ``address``, of ``kind`` if one is named."""
    mails = OutboxMail.objects.filter(recipient=address).order_by("pk")
    found = (mails.filter(kind=kind) if kind else mails).last()
    assert found is not None, (address, kind)
    return found


def link_to(address: str, kind: str = "") -> str:
    """The path of the one link in the newest such mail."""
    (path,) = links_in(newest(address, kind))
    return path


def disown(path: str, client: Client | None = None) -> HttpResponse:
    """Presses the button of the page behind ``path``, as a browser without a past does."""
    return (client or Client()).post(path)

"""What a person finds in their mail: the outbox read as its delivery would read it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from kellexa_portal.mail import body
from kellexa_portal.mail.models import OutboxMail

_ADDRESS = re.compile(r"https?://\S+/accounts/\S+/[\w-]{43}/")


def kinds_to(address: str) -> list[str]:
    """The kinds of mail that ``address`` got, oldest first."""
    return list(OutboxMail.objects.filter(recipient=address).order_by("pk").values_list("kind", flat=True))


def texts_to(address: str) -> list[str]:
    """The text bodies that ``address`` got, oldest first."""
    return [body.of(mail).text for mail in OutboxMail.objects.filter(recipient=address).order_by("pk")]


def link_to(address: str) -> str:
    """The whole address of the link in the newest mail to ``address``."""
    found = _ADDRESS.search(texts_to(address)[-1])
    assert found is not None
    return found.group()


def path_to(address: str) -> str:
    """The path of that link, for the test client."""
    return urlsplit(link_to(address)).path

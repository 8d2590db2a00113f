"""A sample app with one mail, and a real SMTP server that can be told to misbehave."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from kellexa_portal.core.actor import Actor
from kellexa_portal.mail import defer, rendering
from kellexa_portal.mail.models import OutboxMail
from tests.kellexa_portal.mail.smtp_server import SmtpServer

MAIL = Actor.system("mail")
LINK = "https://portal.example/confirm/?token=s3cr3t-t0ken&next=%2F"

Write = Callable[..., OutboxMail]


@pytest.fixture(autouse=True)
def _sample_app(settings: Any) -> Iterator[None]:
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "tests.kellexa_portal.mail.sample"]
    rendering._text_engine.cache_clear()
    yield
    rendering._text_engine.cache_clear()


@pytest.fixture
def write() -> Write:
    """Defers the sample mail in a transaction of its own; any argument of ``defer`` may be given."""
    numbers = itertools.count(1)

    def deferred(**given: Any) -> OutboxMail:
        number = next(numbers)
        context = {"name": "Ada", "facts": [("When", "23 Nov 2026"), ("Where", "Zürich")], "url": LINK}
        arguments: dict[str, Any] = {
            "to": f"ada{number}@acme.example",
            "subject": "Confirm your address",
            "template": "sample/welcome",
            "dedupe_key": f"sample:{number}",
            **given,
            "context": {**context, **given.get("context", {})},
        }
        with transaction.atomic():
            return defer("sample.welcome", **arguments)

    return deferred


@pytest.fixture
def smtp(settings: Any) -> Iterator[SmtpServer]:
    """A real SMTP server on loopback, which the portal is set to use."""
    with SmtpServer() as server:
        settings.EMAIL_BACKEND = "kellexa_portal.mail.backends.SmtpBackend"
        settings.EMAIL_HOST = server.host
        settings.EMAIL_PORT = server.port
        settings.EMAIL_TIMEOUT = 5
        yield server


@pytest.fixture
def mailbox(settings: Any, tmp_path: Path) -> Path:
    """An empty mail directory, which the portal is set to write to."""
    settings.EMAIL_BACKEND = "kellexa_portal.mail.backends.FileBackend"
    settings.MAIL_DIRECTORY = tmp_path / "mail"
    return settings.MAIL_DIRECTORY

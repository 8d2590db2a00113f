"""Debian's Chromium for tests that look at a page as a person would."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for the block. Without Chromium the test is skipped; in CI, where it must be, it fails."""
    if not CHROMIUM.exists():
        message = "Chromium is not installed"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(QUIET))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served() -> Iterator[str]:
    """The address of the portal in a thread of its own, for pages that need no database.

    pytest-django's ``live_server`` empties every table after each test, which costs seconds.
    """
    server = LiveServerThread("localhost", StaticFilesHandler, connections_override={})
    server.daemon = True
    server.start()
    server.is_ready.wait()
    if server.error:
        raise server.error
    try:
        yield f"http://localhost:{server.port}"
    finally:
        server.terminate()


class VirtualAuthenticator:
    """Chromium's authenticator in software: keeps discoverable keys and knows the person's finger.

    It answers every question at once, also one that waits in the autofill, until it ``rests``.
    """

    OPTIONS: ClassVar[dict[str, object]] = {
        "protocol": "ctap2",
        "ctap2Version": "ctap2_1",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }

    def __init__(self, session: CDPSession, name: str) -> None:
        self._session = session
        self._name = name

    @classmethod
    @contextmanager
    def in_(cls, page: Page) -> Iterator[VirtualAuthenticator]:
        """One that belongs to the tab of ``page`` for the block."""
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable", {"enableUI": False})
        made = session.send("WebAuthn.addVirtualAuthenticator", {"options": cls.OPTIONS})
        yield cls(session, made["authenticatorId"])
        session.detach()

    def rests(self) -> None:
        """From now on questions wait for a finger."""
        self._set("WebAuthn.setAutomaticPresenceSimulation", False)

    def is_touched(self) -> None:
        """A finger is there: what waits is answered, and what comes."""
        self._set("WebAuthn.setAutomaticPresenceSimulation", True)

    def _set(self, method: str, enabled: bool) -> None:
        self._session.send(method, {"authenticatorId": self._name, "enabled": enabled})

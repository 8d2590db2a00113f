"""Journeys run against a portal of their own: real servers, web, worker and beat, a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from kellexa_portal.dev.stack import Stack
from tests.support import daylight
from tests.support.mailbox import Mailbox

PATIENCE_MS = 15_000
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One portal for all journeys of a run, with an empty database."""
    with Stack(state_dir=tmp_path_factory.mktemp("portal")) as running:
        yield running


@pytest.fixture(scope="session")
def demo_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One portal with the demo data."""
    with Stack(state_dir=tmp_path_factory.mktemp("demo"), demo=True) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; a run without one says so, and in CI that is a failure."""
    executable = shutil.which("chromium")
    if executable is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing; the journeys can't be shown.")
        pytest.skip("Chromium is missing")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile without a past, where the day is young."""
    fresh = browser.new_context(timezone_id=daylight.zone())
    fresh.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab. A page that throws or breaks its own security policy fails the journey at its end."""
    faults: list[str] = []
    tab = context.new_page()
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on(
        "console", lambda message: faults.append(message.text) if "Content Security" in message.text else None
    )
    yield tab
    assert faults == []


@pytest.fixture
def mailbox(stack: Stack) -> Mailbox:
    """The mail that the portal wrote."""
    return Mailbox(Path(stack.mail_dir))

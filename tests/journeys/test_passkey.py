"""A person whose device holds a passkey: the first factor, every way to sign in with it, and its end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from kellexa_portal.dev.stack import Stack
from tests.support.authenticator import Authenticator
from tests.support.browser import VirtualAuthenticator
from tests.support.mailbox import Mailbox, link_in, subject_has

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

PASSWORD = "nine quiet herons over the weir"


@pytest.fixture
def device(page: Page) -> Iterator[VirtualAuthenticator]:
    """The fingerprint reader of the computer that runs the browser."""
    with VirtualAuthenticator.in_(page) as authenticator:
        yield authenticator


def _press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def _sign_up(page: Page, url: str, mailbox: Mailbox) -> str:
    email = f"robin-{uuid4().hex[:8]}@passkey.example"
    page.goto(f"{url}/accounts/signup/")
    page.get_by_label("Name", exact=True).fill("Robin Example")
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_label("Organization", exact=True).fill("Passkey Ltd")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    _press(page, "Create account")
    page.goto(link_in(mailbox.wait_for(email, subject_has("confirm"))))
    _press(page, "Confirm address")
    return email


def _enrol(page: Page) -> None:
    page.get_by_label("Name", exact=True).fill("Work laptop")
    _press(page, "Create passkey")
    page.locator(".recovery-list").wait_for()
    codes = page.locator(".recovery-list code").all_inner_texts()
    assert len(codes) == 10
    page.get_by_label("Recovery code", exact=True).fill(codes[0])
    _press(page, "Verify")
    _expect_home(page)


def _expect_home(page: Page) -> None:
    expect(page.get_by_role("heading", name="Security checkup")).to_be_visible()


def _sign_out(page: Page, url: str) -> None:
    page.goto(f"{url}/accounts/logout/")
    _press(page, "Sign out")
    expect(page.get_by_role("heading", name=re.compile("signed out", re.IGNORECASE))).to_be_visible()


def _type_password(page: Page, url: str, email: str) -> None:
    page.goto(f"{url}/accounts/login/")
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    _press(page, "Sign in")
    page.wait_for_url(f"{url}/accounts/login/verify/")


def test_a_passkey_from_the_first_factor_to_its_end(
    stack: Stack, page: Page, mailbox: Mailbox, device: VirtualAuthenticator
) -> None:
    email = _sign_up(page, stack.url, mailbox)
    _enrol(page)
    mailbox.wait_for(email, subject_has("passkey was added"))

    _sign_out(page, stack.url)
    page.goto(f"{stack.url}/accounts/login/?next=/accounts/sessions/")
    page.wait_for_url(f"{stack.url}/accounts/sessions/")  # the autofill of the address
    expect(page.get_by_role("cell", name="Passkey", exact=True)).to_be_visible()

    device.rests()
    _sign_out(page, stack.url)
    page.goto(f"{stack.url}/accounts/login/")
    _press(page, "Sign in with a passkey")
    device.is_touched()
    _expect_home(page)

    device.rests()
    _sign_out(page, stack.url)
    _type_password(page, stack.url, email)
    _press(page, "Use passkey")
    device.is_touched()
    _expect_home(page)

    app = _set_an_app_up(page, stack.url)
    _remove(page, stack.url, "Work laptop")
    mailbox.wait_for(email, subject_has("passkey was removed"))

    device.rests()
    _sign_out(page, stack.url)
    page.goto(f"{stack.url}/accounts/login/")
    _press(page, "Sign in with a passkey")
    device.is_touched()
    expect(page.get_by_role("alert")).to_contain_text("can’t be used here")

    _type_password(page, stack.url, email)
    page.get_by_label("Authentication code", exact=True).fill(app.code())
    _press(page, "Verify")
    _expect_home(page)
    _expect_on_record(page, stack.url)


def _set_an_app_up(page: Page, url: str) -> Authenticator:
    page.goto(f"{url}/accounts/mfa/")
    page.get_by_role("link", name="Set up an app", exact=True).click()
    page.get_by_text("Can’t scan it?").click()
    app = Authenticator(page.locator("#manual-key").inner_text())
    page.get_by_label("Authentication code", exact=True).fill(app.code())
    _press(page, "Verify")
    page.wait_for_url(f"{url}/accounts/mfa/")
    return app


def _remove(page: Page, url: str, name: str) -> None:
    page.get_by_role("link", name=f"Remove {name}").click()
    _press(page, "Remove passkey")
    page.wait_for_url(f"{url}/accounts/mfa/")
    expect(page.get_by_text("No passkeys yet")).to_be_visible()


def _expect_on_record(page: Page, url: str) -> None:
    page.goto(f"{url}/accounts/activity/")
    events = page.get_by_role("table")
    for event in ("auth.mfa.enrol", "auth.login.succeed", "auth.mfa.remove"):
        expect(events).to_contain_text(event)

"""Somebody else signs in; the owner disowns it from the mail, comes back, and brings their key back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from kellexa_portal.dev.stack import Stack
from tests.support import daylight
from tests.support.authenticator import Authenticator
from tests.support.mailbox import Mailbox, link_in, subject_has, text_of

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

PASSWORD = "nine quiet herons over the weir"
NEW_PASSWORD = "seven lanterns drift past the mill"
TOKEN = re.compile(r"\bklx[ps]_(?:live|test)_[0-9A-Za-z]{63}\b")
LINK = re.compile(r"https?://\S+/accounts/lockdown/[\w-]{43}/")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def _press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def _sign_up(page: Page, url: str, email: str, mailbox: Mailbox) -> Authenticator:
    page.goto(f"{url}/accounts/signup/")
    page.get_by_label("Name", exact=True).fill("Ada Owner")
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_label("Organization", exact=True).fill("Lockdown Ltd")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    _press(page, "Create account")
    page.goto(link_in(mailbox.wait_for(email, subject_has("confirm"))))
    _press(page, "Confirm address")
    page.get_by_text("Can’t scan it?").click()
    authenticator = Authenticator(page.locator("#manual-key").inner_text())
    page.get_by_label("Authentication code", exact=True).fill(authenticator.code())
    _press(page, "Verify")
    codes = page.locator(".recovery-list code").all_inner_texts()
    page.get_by_label("Recovery code", exact=True).fill(codes[3])
    _press(page, "Verify")
    expect(page.get_by_role("heading", name="Security checkup")).to_be_visible()
    return authenticator


def _create_key(page: Page, url: str, app: Authenticator) -> str:
    page.goto(f"{url}/accounts/keys/create/")
    app.answers(page)
    page.get_by_label("Name", exact=True).fill("Deploy bot")
    page.get_by_label("Service", exact=True).check()
    page.get_by_label(re.compile("Start and stop workflow runs")).check()
    page.get_by_label("Expires", exact=True).fill(daylight.today().isoformat())
    _press(page, "Create key")
    expect(page.locator("#token")).to_be_visible()
    found = TOKEN.search(page.locator("#token").inner_text())
    assert found
    return found.group(0)


def _sign_in(page: Page, url: str, email: str, password: str, app: Authenticator) -> None:
    page.goto(f"{url}/accounts/login/")
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    _press(page, "Sign in")
    page.get_by_label("Authentication code", exact=True).fill(app.code())
    _press(page, "Verify")


def _is_accepted(url: str, token: str) -> bool:
    answer = httpx.get(f"{url}/api/v1/keys/self", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code in {200, 401}, answer.text
    return answer.status_code == 200


@pytest.fixture
def stranger(browser: Browser) -> Iterator[BrowserContext]:
    """Another browser, elsewhere, in the hands of somebody who knows password and code."""
    elsewhere = browser.new_context(user_agent=FIREFOX)
    elsewhere.set_default_timeout(15_000)
    yield elsewhere
    elsewhere.close()


def test_a_disowned_sign_in_locks_the_account_and_its_owner_comes_back(
    stack: Stack, page: Page, stranger: BrowserContext, browser: Browser, mailbox: Mailbox
) -> None:
    url, email = stack.url, f"ada-{uuid4().hex[:8]}@lockdown.example"
    app = _sign_up(page, url, email, mailbox)
    token = _create_key(page, url, app)
    thief = stranger.new_page()
    _sign_in(thief, url, email, PASSWORD, app)
    expect(thief.get_by_role("heading", name="Security checkup")).to_be_visible()
    assert _is_accepted(url, token)

    _disown(browser, mailbox, email)

    for tab in (page, thief):
        tab.goto(f"{url}/accounts/keys/")
        expect(tab.get_by_role("heading", name="Sign in")).to_be_visible()
    assert not _is_accepted(url, token)

    _choose_new_password(page, url, email, mailbox)
    _sign_in(page, url, email, NEW_PASSWORD, app)
    expect(page.get_by_role("heading", name="Your account is locked down")).to_be_visible()
    assert not _is_accepted(url, token)

    page.get_by_label(re.compile("Deploy bot")).check()
    _press(page, "Lift the lock-down")
    page.wait_for_url("**/accounts/verify/**")
    assert app.answers(page)
    expect(page.get_by_label(re.compile("Deploy bot"))).to_be_checked()
    _press(page, "Lift the lock-down")
    expect(page.get_by_text("The lock-down is lifted. 1 key works again.")).to_be_visible()
    assert _is_accepted(url, token)
    mailbox.wait_for(email, subject_has("was lifted"))


def _disown(browser: Browser, mailbox: Mailbox, email: str) -> None:
    """The owner reads the mail on a device where nobody is signed in; looking changes nothing."""
    mail = mailbox.wait_for(email, subject_has("new sign-in"))
    assert "Firefox on Linux" in text_of(mail)
    found = LINK.search(text_of(mail))
    assert found
    phone = browser.new_context().new_page()
    phone.goto(found.group(0))
    expect(phone.get_by_role("heading", name="Lock the account down?")).to_be_visible()
    _press(phone, "This wasn’t me: lock the account down")
    expect(phone.get_by_role("heading", name="The account was locked down")).to_be_visible()
    phone.goto(found.group(0))
    expect(phone.get_by_text("This link did so before")).to_be_visible()
    phone.context.close()


def _choose_new_password(page: Page, url: str, email: str, mailbox: Mailbox) -> None:
    """The known password leads no further than to the page that mails the link for a new one."""
    page.goto(f"{url}/accounts/login/")
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    _press(page, "Sign in")
    expect(page.get_by_text("This account is locked down.")).to_be_visible()
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_role("main").get_by_role("button").first.click()
    page.goto(link_in(mailbox.wait_for(email, subject_has("choose a new password"))))
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    _press(page, "Set password")

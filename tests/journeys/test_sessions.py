"""A person ends a session that they did not begin, and sees it end; a rotation asks for a code of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from kellexa_portal.dev.stack import Stack
from tests.support.authenticator import STEP_UP, Authenticator

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

PERSON = "admin@acme.example"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(scope="module")
def account(demo_stack: Stack) -> dict[str, str]:
    """An administrator of the demo's organization, who is in no other journey."""
    facts = json.loads(demo_stack.manage("demo", "--json").stdout)
    found: dict[str, str] = next(one for one in facts["accounts"] if one["email"] == PERSON)
    return found


@pytest.fixture(scope="module")
def app(account: dict[str, str]) -> Authenticator:
    """Their one authenticator app, which shows no code twice."""
    return Authenticator(account["totp_secret"])


@pytest.fixture
def elsewhere(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(user_agent=FIREFOX)
    context.set_default_timeout(15_000)
    yield context
    context.close()


def _press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def _sign_in(page: Page, url: str, account: dict[str, str], app: Authenticator) -> None:
    page.goto(f"{url}/accounts/login/")
    page.get_by_label("Email", exact=True).fill(account["email"])
    page.get_by_label("Password", exact=True).fill(account["password"])
    _press(page, "Sign in")
    page.get_by_label("Authentication code", exact=True).fill(app.code())
    _press(page, "Verify")
    expect(page.get_by_role("heading", name="Security checkup")).to_be_visible()


def test_another_browsers_session_is_ended_and_its_next_click_meets_the_sign_in_page(
    demo_stack: Stack, page: Page, elsewhere: BrowserContext, account: dict[str, str], app: Authenticator
) -> None:
    url, other = demo_stack.url, elsewhere.new_page()
    _sign_in(page, url, account, app)
    _sign_in(other, url, account, app)

    page.goto(f"{url}/accounts/sessions/")
    row = page.get_by_role("row").filter(has_text="Firefox on Linux")
    expect(row).to_have_count(1)
    row.get_by_role("button", name=re.compile("^End")).click()

    expect(page.get_by_role("row").filter(has_text="Firefox on Linux")).to_have_count(0)
    other.get_by_role("link", name="API keys").click()
    expect(other.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
    page.goto(f"{url}/accounts/keys/")
    expect(page.get_by_role("heading", name="API keys", exact=True)).to_be_visible()


def test_each_rotation_asks_for_a_code_of_its_own_and_a_wrong_one_rotates_nothing(
    demo_stack: Stack, page: Page, account: dict[str, str], app: Authenticator
) -> None:
    url = demo_stack.url
    _sign_in(page, url, account, app)
    keys = [_new_key(page, url, name) for name in ("First", "Second")]
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}

    page.goto(f"{url}/accounts/keys/{keys[0]}/rotate/")
    assert urlsplit(page.url).path == STEP_UP
    expect(page.get_by_text("You are about to replace the key “First”")).to_be_visible()
    page.get_by_label("Authentication code", exact=True).fill("000000")
    _press(page, "Verify")
    expect(page.locator(".error-summary")).to_be_visible()
    assert app.answers(page)

    page.wait_for_url(f"{url}/accounts/keys/{keys[0]}/rotate/")
    session = next(name for name in cookies if "session" in name)
    fresh = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    assert fresh[session] != cookies[session]
    page.goto(f"{url}/accounts/keys/{keys[1]}/rotate/")
    assert urlsplit(page.url).path == STEP_UP, "a code that was shown for one key opened another"
    page.goto(f"{url}/accounts/keys/{keys[0]}/rotate/")
    _press(page, "Rotate key")
    expect(page.locator("#token")).to_be_visible()


def _new_key(page: Page, url: str, name: str) -> str:
    page.goto(f"{url}/accounts/keys/create/")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("group", name="Scopes").get_by_role("checkbox").first.check()
    _press(page, "Create key")
    expect(page.locator("#token")).to_be_visible()
    return urlsplit(page.url).path.split("/")[3]

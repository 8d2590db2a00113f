"""A new customer's first key, from signing up to the gateway's refusal, with every step on record."""

from __future__ import annotations

import re
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page, expect

from kellexa_portal.dev.stack import Stack
from tests.support import daylight
from tests.support.authenticator import Authenticator
from tests.support.mailbox import Mailbox, link_in, subject_has, text_of

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

PASSWORD = "nine quiet herons over the weir"
TOKEN = re.compile(r"\bklx[ps]_(?:live|test)_[0-9A-Za-z]{63}\b")


def _press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def _sign_up(page: Page, url: str, email: str, organization: str) -> None:
    page.goto(f"{url}/accounts/signup/")
    page.get_by_label("Name", exact=True).fill("Robin Example")
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_label("Organization", exact=True).fill(organization)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    _press(page, "Create account")
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()


def _enrol(page: Page) -> Authenticator:
    page.get_by_text("Can’t scan it?").click()
    authenticator = Authenticator(page.locator("#manual-key").inner_text())
    page.get_by_label("Authentication code", exact=True).fill(authenticator.code())
    _press(page, "Verify")
    codes = page.locator(".recovery-list code").all_inner_texts()
    assert len(codes) == 10
    page.get_by_label("Recovery code", exact=True).fill(codes[3])
    _press(page, "Verify")
    expect(page.get_by_role("heading", name="Security checkup")).to_be_visible()
    return authenticator


def _create_key(page: Page, url: str) -> str:
    page.goto(f"{url}/accounts/keys/")
    page.get_by_role("main").get_by_role("link", name=re.compile("Create|New")).first.click()
    page.get_by_label("Name", exact=True).fill("Deploy bot")
    page.get_by_label("Service", exact=True).check()
    page.get_by_label(re.compile("Start and stop workflow runs")).check()
    page.get_by_label("Expires", exact=True).fill(daylight.today().isoformat())
    _press(page, "Create key")
    return _token_on(page)


def _token_on(page: Page) -> str:
    expect(page.locator("#token")).to_be_visible()
    found = TOKEN.search(page.locator("#token").inner_text())
    assert found, page.url
    return found.group(0)


def _verify(url: str, gateway: str, token: str) -> dict[str, object]:
    answer = httpx.post(
        f"{url}/api/v1/keys/verify", json={"token": token}, headers={"Authorization": f"Bearer {gateway}"}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_new_customers_first_key_lives_and_dies_on_record(
    stack: Stack, page: Page, mailbox: Mailbox
) -> None:
    email = f"robin-{uuid4().hex[:8]}@first-key.example"
    gateway = stack.manage("create_gateway_key", _operator(stack, page, mailbox)).stdout.strip().split()[-1]

    page.context.clear_cookies()
    _sign_up(page, stack.url, email, "First Key Ltd")
    page.goto(link_in(mailbox.wait_for(email, subject_has("confirm"))))
    _press(page, "Confirm address")
    app = _enrol(page)

    token = _create_key(page, stack.url)
    answer = _verify(stack.url, gateway, token)
    assert answer["active"] is True
    assert answer["scope"] == "workflows:run"

    reminder = mailbox.wait_for(email, subject_has("rotate"), seconds=120)
    assert "Deploy bot" in text_of(reminder)
    assert token not in reminder.as_string()
    page.goto(link_in(reminder))
    page.get_by_role("link", name="Rotate key", exact=True).click()
    expect(page.get_by_role("heading", name="Show that it is you")).to_be_visible()
    assert app.answers(page)
    _press(page, "Rotate key")
    successor = _token_on(page)
    assert successor != token
    assert _verify(stack.url, gateway, successor)["active"] is True
    assert _verify(stack.url, gateway, token)["active"] is True

    page.go_back()
    assert successor not in page.content()

    for living in (successor, token):
        _revoke(page, stack.url, living)
        assert _verify(stack.url, gateway, living) == {"active": False}

    _expect_on_record(page, stack.url)


def _operator(stack: Stack, page: Page, mailbox: Mailbox) -> str:
    """The person of Kellexa who holds the gateway's key: an account like any other."""
    email = f"operator-{uuid4().hex[:8]}@platform.example"
    _sign_up(page, stack.url, email, "Operators")
    page.goto(link_in(mailbox.wait_for(email, subject_has("confirm"))))
    _press(page, "Confirm address")
    _enrol(page)
    return email


def _revoke(page: Page, url: str, token: str) -> None:
    key_id = token.split("_")[2][:14]
    page.goto(f"{url}/accounts/keys/{key_id}/")
    page.get_by_role("link", name="Revoke key", exact=True).click()
    page.get_by_label(re.compile("No longer needed|needed", re.IGNORECASE)).first.check()
    _press(page, "Revoke key")


def _expect_on_record(page: Page, url: str) -> None:
    page.goto(f"{url}/accounts/organization/audit/")
    log = page.get_by_role("table")
    for sentence in (
        "organization was created",
        "API key was created",
        "reminder to rotate a credential was sent",
        "API key was rotated",
        "API key was revoked",
        "key.verify.deny",
    ):
        expect(log).to_contain_text(sentence)
    page.goto(f"{url}/accounts/activity/")
    events = page.get_by_role("table")
    for event in ("account.signup.complete", "auth.mfa.enrol", "auth.login.succeed"):
        expect(events).to_contain_text(event)

"""The telephone is gone: a recovery code is a short way back, three of the staff are a long one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from kellexa_portal.dev.stack import Stack
from tests.support.authenticator import Authenticator
from tests.support.mailbox import Mailbox, link_in, subject_has, text_of

pytestmark = [pytest.mark.journey, pytest.mark.timeout(420)]

PASSWORD = "nine quiet herons over the weir"
NEW_PASSWORD = "seven lanterns drift past the mill"
EVIDENCE = "Called back at the number in the contract; knew the last two invoices."
LOST = "security@acme.example"
STARTER, FIRST, SECOND = (
    "incident-commander@staff.example",
    "administrator@staff.example",
    "dpo@staff.example",
)
CANCEL = re.compile(r"https?://\S+/accounts/recovery/cancel/[\w-]{43}/")
QUARANTINE = re.compile("Your account is in quarantine until")
SWEPT_WITHIN = 100
THREE_DAYS_PASS = """
from datetime import timedelta
from django.db.models import F
from accounts.recovery.models import RecoveryCase
names = ("started_at", "first_approved_at", "second_approved_at", "waits_until")
case = RecoveryCase.objects.filter(user__email="%s", state="waiting")
print(case.update(**{name: F(name) - timedelta(hours=72) for name in names}))
"""


def _press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


@pytest.fixture
def mailbox(demo_stack: Stack) -> Mailbox:
    """The mail of the portal with the demo's staff."""
    return Mailbox(Path(demo_stack.mail_dir))


@pytest.fixture
def facts(demo_stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(demo_stack.manage("demo", "--json").stdout)
    return {account["email"]: account for account in found["accounts"]}


@pytest.fixture
def newcomer(browser: Browser) -> Iterator[BrowserContext]:
    """A browser without a past: the new telephone."""
    context = browser.new_context()
    context.set_default_timeout(15_000)
    yield context
    context.close()


def _enrol(page: Page) -> tuple[Authenticator, list[str]]:
    page.wait_for_url("**/accounts/login/enrol/**")
    page.get_by_text("Can’t scan it?").click()
    app = Authenticator(page.locator("#manual-key").inner_text())
    page.get_by_label("Authentication code", exact=True).fill(app.code())
    _press(page, "Verify")
    codes = page.locator(".recovery-list code").all_inner_texts()
    page.get_by_label("Recovery code", exact=True).fill(codes[3])
    _press(page, "Verify")
    page.wait_for_url(lambda url: "/login/" not in url)
    return app, codes


def _type_password(page: Page, url: str, email: str, password: str) -> None:
    page.goto(f"{url}/accounts/login/")
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    _press(page, "Sign in")


def _sign_in(page: Page, url: str, account: dict[str, str]) -> Authenticator:
    _type_password(page, url, account["email"], account["password"])
    app = Authenticator(account["totp_secret"])
    page.get_by_label("Authentication code", exact=True).fill(app.code())
    _press(page, "Verify")
    page.wait_for_url(lambda found: "/login/" not in found)
    return app


def _is_refused_a_key(page: Page, url: str, app: Authenticator) -> None:
    page.goto(f"{url}/accounts/keys/create/")
    app.answers(page)
    if not page.get_by_text(QUARANTINE).count():
        page.get_by_label("Name", exact=True).fill("In a hurry")
        page.get_by_label("Personal", exact=True).check()
        page.get_by_role("group", name="Scopes").get_by_role("checkbox").first.check()
        _press(page, "Create key")
    expect(page.get_by_text(QUARANTINE).first).to_be_visible()


def test_a_recovery_code_leads_to_a_new_app_and_a_day_of_quarantine(
    demo_stack: Stack, page: Page, newcomer: BrowserContext, mailbox: Mailbox
) -> None:
    url, email = demo_stack.url, f"ada-{uuid4().hex[:8]}@recovery.example"
    page.goto(f"{url}/accounts/signup/")
    page.get_by_label("Name", exact=True).fill("Ada Owner")
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_label("Organization", exact=True).fill("Recovery Ltd")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    _press(page, "Create account")
    page.goto(link_in(mailbox.wait_for(email, subject_has("confirm"))))
    _press(page, "Confirm address")
    _app, codes = _enrol(page)

    phone = newcomer.new_page()
    _type_password(phone, url, email, PASSWORD)
    phone.get_by_role("link", name="Use a recovery code instead").click()
    phone.get_by_label("Recovery code", exact=True).fill(codes[0])
    _press(phone, "Verify")
    app, _codes = _enrol(phone)

    expect(phone.get_by_role("heading", name="Security checkup")).to_be_visible()
    _is_refused_a_key(phone, url, app)
    page.goto(f"{url}/accounts/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    mailbox.wait_for(email, subject_has("recovery code"))


def test_who_has_lost_everything_is_back_after_three_approvals_and_three_days(
    demo_stack: Stack, browser: Browser, page: Page, mailbox: Mailbox, facts: dict[str, Any]
) -> None:
    url = demo_stack.url
    _ask(browser, url, facts[STARTER])
    mail = mailbox.wait_for(LOST, subject_has("asked to recover"))
    assert CANCEL.search(text_of(mail))
    for approver in (FIRST, SECOND):
        _approve(browser, url, facts[approver])
    mailbox.wait_for(LOST, subject_has("will be recovered in three days"))
    assert not [mail for mail in mailbox.to(LOST) if subject_has("complete the recovery")(mail)]

    assert demo_stack.manage("shell", "-c", THREE_DAYS_PASS % LOST).stdout.strip().endswith("1")
    way_back = mailbox.wait_for(LOST, subject_has("complete the recovery"), seconds=SWEPT_WITHIN)
    page.goto(link_in(way_back))
    _press(page, "Recover my account")
    expect(page.get_by_role("heading", name="The account is recovered")).to_be_visible()

    _type_password(page, url, LOST, facts[LOST]["password"])
    expect(page.get_by_text("The email or the password isn’t right.").first).to_be_visible()
    page.goto(link_in(mailbox.wait_for(LOST, subject_has("choose a new password"))))
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    _press(page, "Set password")
    _type_password(page, url, LOST, NEW_PASSWORD)
    app, _codes = _enrol(page)
    expect(page.get_by_role("heading", name="Security checkup")).to_be_visible()
    _is_refused_a_key(page, url, app)
    page.goto(link_in(way_back))
    expect(page.get_by_role("heading", name="This link no longer works")).to_be_visible()


def _ask(browser: Browser, url: str, account: dict[str, str]) -> None:
    context = browser.new_context()
    tab = context.new_page()
    _sign_in(tab, url, account)
    tab.goto(f"{url}/admin/recovery/recoverycase/")
    tab.get_by_role("link", name="Ask for a recovery").click()
    tab.get_by_label("Email", exact=True).fill(LOST)
    tab.get_by_label("How the person was recognised").fill(EVIDENCE)
    tab.get_by_role("button", name="Ask for the recovery").click()
    expect(tab.get_by_text("Every address of the account was told. Two others approve now.")).to_be_visible()
    expect(tab.get_by_role("link", name="Approve", exact=True)).to_have_count(0)
    context.close()


def _approve(browser: Browser, url: str, account: dict[str, str]) -> None:
    context = browser.new_context()
    tab = context.new_page()
    app = _sign_in(tab, url, account)
    tab.goto(f"{url}/admin/recovery/recoverycase/?state__exact=open")
    tab.locator("#result_list tbody th a").first.click()
    tab.get_by_role("link", name="Approve", exact=True).click()
    expect(tab.get_by_text(EVIDENCE)).to_be_visible()
    tab.get_by_role("button", name="Approve the recovery").click()
    tab.wait_for_url("**/accounts/verify/**")
    assert app.answers(tab)
    tab.get_by_role("button", name="Approve the recovery").click()
    expect(tab.get_by_text("You approved the recovery.")).to_be_visible()
    context.close()


def test_who_finds_the_telephone_again_cancels(
    demo_stack: Stack, browser: Browser, page: Page, mailbox: Mailbox, facts: dict[str, Any]
) -> None:
    """The demo's own case: the auditor of Globex signs in, sees it on every page and cancels it."""
    url, found = demo_stack.url, "auditor@globex.example"
    _sign_in(page, url, facts[found])
    page.goto(f"{url}/accounts/sessions/")

    page.get_by_role("link", name="See and cancel").click()
    _press(page, "Cancel the recovery")

    expect(page.get_by_text("The recovery is cancelled. Nothing was changed.")).to_be_visible()
    mailbox.wait_for(found, subject_has("will not be recovered"))
    stranger = browser.new_context().new_page()
    link = CANCEL.search(text_of(mailbox.wait_for(found, subject_has("asked to recover"))))
    assert link
    stranger.goto(link.group(0))
    expect(stranger.get_by_role("heading", name="This recovery has ended")).to_be_visible()
    stranger.context.close()

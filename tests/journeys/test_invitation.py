"""A colleague is invited, comes in by the mailed link, and is out at the moment of removal."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from kellexa_portal.dev.stack import Stack
from tests.support import daylight
from tests.support.authenticator import Authenticator
from tests.support.mailbox import Mailbox, link_in, subject_has, text_of

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

PASSWORD = "nine quiet herons over the weir"


def _press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def _sign_up(page: Page, url: str, email: str, mailbox: Mailbox) -> None:
    page.goto(f"{url}/accounts/signup/")
    page.get_by_label("Name", exact=True).fill("Olga Owner")
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_label("Organization", exact=True).fill("Invitation Ltd")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    _press(page, "Create account")
    page.goto(link_in(mailbox.wait_for(email, subject_has("confirm"))))
    _press(page, "Confirm address")
    _enrol(page)


def _enrol(page: Page) -> None:
    page.get_by_text("Can’t scan it?").click()
    authenticator = Authenticator(page.locator("#manual-key").inner_text())
    page.get_by_label("Authentication code", exact=True).fill(authenticator.code())
    _press(page, "Verify")
    codes = page.locator(".recovery-list code").all_inner_texts()
    page.get_by_label("Recovery code", exact=True).fill(codes[3])
    _press(page, "Verify")
    expect(page.get_by_role("heading", name="Security checkup")).to_be_visible()


def _invite(page: Page, url: str, email: str) -> None:
    page.goto(f"{url}/accounts/organization/members/")
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_label("Role", exact=True).select_option("security")
    _press(page, "Send invitation")
    expect(page.get_by_text(f"{email} was invited.")).to_be_visible()
    expect(page.get_by_role("table", name="Open invitations")).to_contain_text(email)


def _join(page: Page, link: str, email: str) -> None:
    """The new person's own browser: the address is the mail's and stands nowhere to be typed."""
    page.goto(link)
    expect(page.get_by_role("heading", name="Join Invitation Ltd")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text(email)
    page.get_by_label("Name", exact=True).fill("Nico Newcomer")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    _press(page, "Create account and join")
    _enrol(page)


def test_an_invited_person_joins_and_is_out_when_removed(
    stack: Stack, page: Page, browser: Browser, mailbox: Mailbox
) -> None:
    tag = uuid4().hex[:8]
    owner, email = f"olga-{tag}@invitation.example", f"nico-{tag}@invitation.example"
    home = f"{stack.url}/accounts/organization/"
    _sign_up(page, stack.url, owner, mailbox)
    _invite(page, stack.url, email)
    mail = mailbox.wait_for(email, subject_has("invited"))
    assert "Olga Owner" in text_of(mail)

    theirs = browser.new_context(timezone_id=daylight.zone()).new_page()
    _join(theirs, link_in(mail), email)
    theirs.goto(home)
    expect(theirs.get_by_role("heading", name="Invitation Ltd")).to_be_visible()
    expect(theirs.get_by_role("main")).to_contain_text("Security")
    theirs.goto(f"{stack.url}/accounts/keys/")
    expect(theirs.get_by_role("heading", name="API keys", exact=True)).to_be_visible()

    page.goto(f"{home}members/")
    page.get_by_role("link", name="Manage Nico Newcomer").click()
    page.get_by_role("link", name="Remove member").click()
    _press(page, "Remove member")
    expect(page.get_by_text(re.compile("Nico Newcomer no longer belongs"))).to_be_visible()

    assert theirs.goto(f"{stack.url}/accounts/keys/").status == 404
    assert theirs.goto(home).status == 404
    assert theirs.goto(f"{stack.url}/accounts/").status == 200
    assert "removed from Invitation Ltd" in text_of(mailbox.wait_for(email, subject_has("removed")))
    theirs.goto(link_in(mail))
    expect(theirs.get_by_role("heading", name="This invitation no longer works")).to_be_visible()

    page.goto(f"{home}audit/")
    log = page.get_by_role("table")
    for sentence in ("A person was invited", "An invitation was accepted", "A person left the organization"):
        expect(log).to_contain_text(sentence)

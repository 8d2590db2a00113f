"""The components as a browser runs them: accessible, inside the policy, and doing what they say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.axe import violations
from tests.support.browser import chromium, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

PAGES = ["", "public/", "auth/", "customer/"]
LOOKS = [(390, "light"), (390, "dark"), (768, "light"), (1280, "light"), (1280, "dark")]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the portal is served, without a database: the styleguide asks nothing of it."""
    with served() as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page that collects what the console and the policy complain of in ``page.complaints``."""
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    context.close()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible_and_fits(page, path, width, scheme):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)

    page.goto(f"/dev/styleguide/{path}", wait_until="networkidle")

    assert page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []


def test_a_secret_is_copied_and_the_copy_is_announced(page):
    page.goto("/dev/styleguide/")

    page.locator('[data-copy="#sample-secret"]').click()

    page.get_by_role("status").filter(has_text="Copied").wait_for(state="attached")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#sample-secret").inner_text()
    assert page.complaints == []


def test_recovery_codes_are_downloaded_one_a_line(page):
    page.goto("/dev/styleguide/")

    with page.expect_download() as caught:
        page.locator('[data-download][data-source="#sample-codes"]').click()

    assert caught.value.suggested_filename == "kellexa-recovery-codes.txt"
    assert len(Path(caught.value.path()).read_text().splitlines()) == 10
    assert page.complaints == []


def test_a_password_is_shown_and_hidden_again(page):
    page.goto("/dev/styleguide/auth/")
    password = page.get_by_label("New password")
    password.fill("correct horse battery staple")

    page.get_by_role("button", name="Show").click()
    assert password.get_attribute("type") == "text"
    page.get_by_role("button", name="Hide").click()

    assert password.get_attribute("type") == "password"


@pytest.mark.parametrize(
    ("typed", "verdict"),
    [
        ("short", "Too short"),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", "Weak"),
        ("passwordpasswordpassword", "Weak"),
        ("12345678901234567890", "Weak"),
        ("correct horse battery staple", "Strong"),
    ],
)
def test_the_strength_of_a_new_password_is_said(page, typed, verdict):
    page.goto("/dev/styleguide/auth/")

    page.get_by_label("New password").fill(typed)

    page.get_by_role("status").filter(has_text=verdict).wait_for()


def test_a_dialog_asks_first_and_escape_gives_the_focus_back(page):
    page.goto("/dev/styleguide/")
    trigger = page.locator("[data-confirm-dialog]")

    trigger.click()
    dialog = page.get_by_role("dialog", name="Revoke deploy-bot?")
    dialog.wait_for()
    assert violations(page) == []
    page.keyboard.press("Escape")

    dialog.wait_for(state="hidden")
    assert trigger.evaluate("element => element === document.activeElement")


def test_an_error_summary_has_the_focus_and_leads_to_the_input(page):
    page.goto("/dev/styleguide/")
    assert page.evaluate("document.activeElement.matches('.error-summary')")

    page.get_by_role("link", name="Email: Enter a valid email address.").click()

    assert page.evaluate("document.activeElement.id") == "refused_email"


def test_escape_closes_the_person_menu(page):
    page.goto("/dev/styleguide/customer/")
    page.locator(".person-menu > summary").click()
    page.get_by_role("button", name="Sign out").wait_for()

    page.keyboard.press("Escape")

    page.get_by_role("button", name="Sign out").wait_for(state="hidden")


def test_the_skip_link_is_the_first_stop_and_leads_to_the_content(page):
    page.goto("/dev/styleguide/customer/")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main"


def test_nothing_moves_while_a_page_loads(page):
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver(list => {"
        " for (const entry of list.getEntries()) window.shift += entry.value; })"
        ".observe({type: 'layout-shift', buffered: true});"
    )

    page.goto("/dev/styleguide/customer/", wait_until="networkidle")

    assert page.evaluate("window.shift") == 0


def test_the_theme_is_switched_without_scripts(browser, address):
    context = browser.new_context(base_url=address, java_script_enabled=False, color_scheme="light")
    page = context.new_page()
    page.goto("/dev/styleguide/customer/")

    page.get_by_role("button", name="Dark").click()

    assert page.url.endswith("/dev/styleguide/customer/")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    context.close()

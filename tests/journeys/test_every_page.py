"""Every page that a person can reach: it answers, keeps its own policy, is accessible, and fits a phone.

The list is the URLconf itself: a page that is added is walked by its gate, or this file says why not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page

from kellexa_portal.dev.stack import Stack
from kellexa_portal.staff import GROUPS
from kellexa_portal.web.gates import Gate, gate_of
from kellexa_portal.web.routes import Route, walk
from tests.support.addresses import address_of, arguments_of
from tests.support.authenticator import STEP_UP, Authenticator
from tests.support.inspector import Inspector
from tests.support.mailbox import Mailbox, link_in, subject_has

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

OWNER = "owner@acme.example"
MEMBER = "member@acme.example"
PROSPECT = "prospect@initech.example"
ADMINISTRATOR = "administrator@staff.example"
LOST = "auditor@globex.example"
PASSWORD = "nine quiet herons over the weir"

# Routes that answer GET and are no page, or no page of their own.
NO_PAGE = {
    "home": "a redirect to the sign-in page",
    "operations:healthz": "for probes",
    "operations:readyz": "for probes",
    "accounts_well_known:change_password": "a redirect for password managers",
    "mfa_well_known:passkey_endpoints": "JSON for password managers",
    "api:schema": "JSON",
    "api:root": "JSON",
    "api:missing": "JSON",
    "api:keys_self": "JSON",
    "sessions:activity_csv": "a download",
    "sessions:activity_jsonl": "a download",
    "admin:login": "a redirect to the portal's own sign-in",
    "admin:password_change": "a redirect to the portal's own page",
    "admin:password_change_done": "reached only from Django's own form, which the portal does not serve",
    "admin:autocomplete": "JSON",
    "admin:jsi18n": "a script",
    "admin:view_on_site": "a redirect; no model of the portal has an address on the site",
    "admin:": "redirects, and 404 for what is nowhere",
    "dev:mail_raw": "a download",
    "dev:mail_html": "another's markup in a sandbox: the mail's own tests look at it",
    "dev:styleguide:frame": "tests/kellexa_portal/ui looks at each of them",
}
# Pages that exist only in the middle of something: the walks below come by.
ON_THE_WAY = {
    "accounts:signup_confirm",
    "accounts:password_reset_confirm",
    "accounts:email_confirm",
    "accounts:email_undo",
    "organizations:invitation",
    "lockdown:link",
    "lockdown:lift",
    "lockdown:keys",
    "recovery:cancel_link",
    "recovery:finish",
    "admin:recovery_recoverycase_approve",
    "admin:recovery_recoverycase_refuse",
    "mfa:verify",
    "mfa:verify_resync",
    "mfa:recover",
    "mfa:enrol",
    "mfa:enrol_codes",
    "mfa:replace_scan",
    "credentials:revoke_many",
    "sso:callback",
    "sso:enforce",
    "mfa:recovery_codes_new",
    "dev:mail_message",
}
OF_A_KEY = {"credentials:detail", "credentials:rotate", "credentials:revoke", "credentials:token"}
OF_A_PASSKEY = {"mfa:passkey", "mfa:passkey_remove"}  # tests/journeys/test_passkey.py comes by
OF_A_MEMBER = {"organizations:member", "organizations:remove", "organizations:transfer"}
# Nothing is added, edited or deleted there (tests/kellexa_portal/staff): of each list one row is looked at.
CLOSED_IN_ADMIN = ("_add", "_delete", "_history", "_change")

# Django's own markup, which the portal does not rewrite.
ADMIN_EXCUSED: dict[str, str] = {}


@pytest.fixture(scope="module")
def facts(demo_stack: Stack) -> dict[str, Any]:
    """What the demo says of its people and keys."""
    return json.loads(demo_stack.manage("demo", "--json").stdout)


@pytest.fixture
def eye(context: BrowserContext) -> Inspector:
    return Inspector(context)


def _is_admin(route: Route) -> bool:
    return route.pattern.startswith("admin/")


def _pages(gate: Gate | None, *, for_staff: bool = False) -> Iterator[Route]:
    """The pages behind ``gate`` with a fixed address; ``None`` is the staff site's own gate."""
    for route in walk():
        if arguments_of(route) or route.name in NO_PAGE or route.name in ON_THE_WAY or _is_closed(route):
            continue
        admits = getattr(route.view, "kellexa_admits", None)
        if gate_of(route.view) == gate and (admits is None or admits(for_staff)):
            yield route


def _is_closed(route: Route) -> bool:
    return _is_admin(route) and route.name.endswith(CLOSED_IN_ADMIN)


def _walk(eye: Inspector, url: str, pages: Iterator[Route], **options: Any) -> None:
    for route in pages:
        address = url + address_of(route, {})
        if eye.page.request.get(address, max_redirects=0).status == 405:
            continue
        eye.visit(address, **options)


def _account(facts: dict[str, Any], email: str) -> dict[str, str]:
    return next(account for account in facts["accounts"] if account["email"] == email)


def _press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def _type_password(page: Page, url: str, account: dict[str, str]) -> None:
    page.goto(f"{url}/accounts/login/")
    page.get_by_label("Email", exact=True).fill(account["email"])
    page.get_by_label("Password", exact=True).fill(account["password"])
    _press(page, "Sign in")
    page.wait_for_url(f"{url}/accounts/login/verify/")


def _sign_in(page: Page, url: str, account: dict[str, str]) -> Authenticator:
    _type_password(page, url, account)
    app = Authenticator(account["totp_secret"])
    _type_code(page, app)
    page.wait_for_url(lambda found: "/login/" not in found)
    return app


def _type_code(page: Page, app: Authenticator, button: str = "Verify") -> None:
    page.get_by_label("Authentication code", exact=True).fill(app.code())
    _press(page, button)


def _key_ids(facts: dict[str, Any], organization: str) -> dict[str, str]:
    """One key for each state."""
    return {
        key["state"]: key["token"].split("_")[2][:14]
        for key in facts["keys"]
        if key["organization"] == organization
    }


PLANTED = """<!doctype html><html lang="en"><title>Planted</title><main><h1>Planted</h1>
<p style="color: red">inline</p><img src="data:image/png;base64,AAAA"><div class="wide">wide</div>
<script src="/script.js"></script></main></html>"""


def test_the_eye_sees_what_is_planted(context: BrowserContext) -> None:
    headers = {"content-security-policy": "default-src 'self'", "content-type": "text/html"}
    script = "document.querySelector('.wide').style.minWidth = '600px'; missing();"
    context.route("**/*", lambda route: route.fulfill(body=PLANTED, headers=headers))
    context.route("**/script.js", lambda route: route.fulfill(body=script, content_type="text/javascript"))
    eye = Inspector(context)

    eye.visit("http://planted.example/")

    for fault in ("policy: style-src", "policy: img-src", "it threw: missing", "image-alt", "too wide"):
        assert any(fault in found for found in eye.faults), (fault, eye.faults)


def test_every_route_is_walked_or_excused() -> None:
    walked = {route.name for gate in (Gate.PUBLIC, Gate.SIGNED_IN, None) for route in _pages(gate)}
    known = walked | set(NO_PAGE) | ON_THE_WAY | OF_A_KEY | OF_A_PASSKEY | OF_A_MEMBER | {"admin:app_list"}
    known |= {
        "sessions:end",
        "sessions:forget_browser",
        "credentials:contacts",
        "api:keys_verify",
    }  # POST only
    known |= {"organizations:resend", "organizations:withdraw"}  # the same
    known |= {f"sso:{name}" for name in ("test", "relax", "disconnect")}  # the same
    known |= {f"sso:domain_{name}" for name in ("add", "check", "remove")}  # the same
    names = {route.name for route in walk()}

    assert {route.name for route in walk() if not _is_closed(route)} <= known
    assert set(NO_PAGE) | ON_THE_WAY | OF_A_KEY <= names


def test_every_page_for_strangers_is_in_order(demo_stack: Stack, eye: Inspector) -> None:
    _walk(eye, demo_stack.url, _pages(Gate.PUBLIC))

    assert eye.faults == []
    assert len(eye.seen) >= 8


def test_every_page_of_an_owner_is_in_order(demo_stack: Stack, eye: Inspector, facts: dict[str, Any]) -> None:
    url, page = demo_stack.url, eye.page
    app = _sign_in(page, url, _account(facts, OWNER))

    _walk(eye, url, _pages(Gate.SIGNED_IN))
    keys = _key_ids(facts, "Acme")
    for key_id in keys.values():
        eye.visit(f"{url}/accounts/keys/{key_id}/")
    for step in ("rotate", "revoke"):
        _visit_proven(eye, f"{url}/accounts/keys/{keys['active']}/{step}/", app)
    _look_at_a_member(eye, url, app)
    _look_at_a_new_key(eye, url)
    _look_at_refusals(eye, url)
    _look_at_the_scan(eye, url, app)

    assert eye.faults == []
    assert len(eye.seen) >= 20


def _visit_proven(eye: Inspector, address: str, app: Authenticator) -> None:
    """Looks at a page that asks for a factor of its own first, and at the asking."""
    eye.page.goto(address)
    if urlsplit(eye.page.url).path == STEP_UP:
        eye.inspect()
        app.answers(eye.page)
    eye.visit(address)


def _look_at_a_member(eye: Inspector, url: str, app: Authenticator) -> None:
    eye.page.goto(f"{url}/accounts/organization/members/")
    links = eye.page.get_by_role("link", name=re.compile("^Manage .*Auditor"))
    address = url + (links.first.get_attribute("href") or "")
    for step in ("", "remove/", "transfer/"):
        _visit_proven(eye, address + step, app)


def _look_at_a_new_key(eye: Inspector, url: str) -> None:
    page = eye.page
    page.goto(f"{url}/accounts/keys/create/")
    page.get_by_label("Name", exact=True).fill("Every page")
    page.get_by_role("group", name="Scopes").get_by_role("checkbox").first.check()
    _press(page, "Create key")
    page.locator("#token").wait_for()
    eye.inspect()
    page.get_by_label("I have stored it").check()
    with page.expect_navigation(url=re.compile(r"/accounts/keys/\w{14}/\??$")):
        _press(page, "Continue to the key")
    page.go_back()
    page.get_by_role("heading", name="The key is no longer shown").wait_for()
    _forgive_the_status(eye)
    keys = page.request.get(f"{url}/accounts/keys/").text()
    chosen = re.findall(r'name="key" value="(\w{14})"', keys)[:2]
    eye.visit(f"{url}/accounts/keys/revoke/?key={'&key='.join(chosen)}")


def _look_at_refusals(eye: Inspector, url: str) -> None:
    """A form with faults, and an address that leads nowhere."""
    page = eye.page
    page.goto(f"{url}/accounts/keys/create/")
    page.evaluate("document.querySelector('main form').noValidate = true")
    _press(page, "Create key")
    page.locator(".error-summary").wait_for()
    _forgive_the_status(eye)
    page.goto(f"{url}/accounts/keys/{'0' * 14}/")
    _forgive_the_status(eye)


def _forgive_the_status(eye: Inspector) -> None:
    """Inspects a page whose status is no success, which Chromium notes on the console."""
    eye.forget("Failed to load resource")
    eye.inspect()


def _look_at_the_scan(eye: Inspector, url: str, app: Authenticator) -> None:
    eye.page.goto(f"{url}/accounts/mfa/authenticator/")
    _type_code(eye.page, app)
    eye.page.wait_for_url(f"{url}/accounts/mfa/authenticator/new/")
    eye.inspect()


def test_every_page_of_an_administrator_is_in_order(
    demo_stack: Stack, eye: Inspector, facts: dict[str, Any]
) -> None:
    url, page = demo_stack.url, eye.page
    app = _sign_in(page, url, _account(facts, ADMINISTRATOR))

    _walk(eye, url, _pages(None), only_severe=True, excused=ADMIN_EXCUSED)
    _look_at_a_row_of_each_list(eye, url)
    _look_at_a_recovery(eye, url)
    _walk(eye, url, _pages(Gate.SIGNED_IN, for_staff=True))
    page.goto(f"{url}/accounts/mfa/recovery-codes/")
    _type_code(page, app, "Make new codes")
    page.locator(".recovery-list").wait_for()
    eye.inspect()

    assert eye.faults == []
    assert len(eye.seen) >= 15


def _look_at_a_row_of_each_list(eye: Inspector, url: str) -> None:
    for _group, labels in GROUPS:
        for label in labels:
            eye.page.goto(f"{url}/admin/{label.lower().replace('.', '/')}/")
            row = eye.page.locator("#result_list tbody th a").first
            if row.count():
                target = row.get_attribute("href") or ""
                eye.visit(url + urlsplit(target).path, only_severe=True, excused=ADMIN_EXCUSED)


def _look_at_a_recovery(eye: Inspector, url: str) -> None:
    eye.page.goto(f"{url}/admin/recovery/recoverycase/")
    public_id = eye.page.locator("#result_list tbody th a").first.inner_text()
    for step in ("approve", "refuse"):
        address = f"{url}/admin/recovery/recoverycase/{public_id}/{step}/"
        eye.visit(address, only_severe=True, excused=ADMIN_EXCUSED)


def test_every_page_on_the_way_in_is_in_order(
    demo_stack: Stack, eye: Inspector, facts: dict[str, Any]
) -> None:
    url, page = demo_stack.url, eye.page
    mailbox = Mailbox(Path(demo_stack.mail_dir))
    email = f"robin-{uuid4().hex[:8]}@every-page.example"

    _ask_for_a_reset(page, url)
    _sign_up(page, url, email)
    eye.inspect()
    eye.visit(link_in(mailbox.wait_for(email, subject_has("confirm"))))
    _press(page, "Confirm address")
    _look_at_the_enrolment(eye, url)
    page.context.clear_cookies()
    _type_password(page, url, _account(facts, MEMBER))
    eye.visit(f"{url}/accounts/login/verify/")
    eye.visit(f"{url}/accounts/login/verify/clock/")
    eye.visit(f"{url}/accounts/login/recover/")
    eye.visit(link_in(mailbox.wait_for(PROSPECT, subject_has("password"))))
    eye.visit(link_in(mailbox.wait_for("new-colleague@acme.example", subject_has("invited"))))
    eye.visit(link_in(mailbox.wait_for(LOST, subject_has("asked to recover"))))
    page.goto(f"{url}/dev/mail/")
    eye.visit(url + (page.locator("main a[href^='/dev/mail/']").first.get_attribute("href") or ""))

    assert eye.faults == []
    assert len(eye.seen) == 11


def _ask_for_a_reset(page: Page, url: str) -> None:
    page.goto(f"{url}/accounts/password/reset/")
    page.get_by_label("Email", exact=True).fill(PROSPECT)
    _press(page, "Send link")
    page.wait_for_url(f"{url}/accounts/password/reset/sent/")


def _sign_up(page: Page, url: str, email: str) -> None:
    page.goto(f"{url}/accounts/signup/")
    page.get_by_label("Name", exact=True).fill("Robin Example")
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_label("Organization", exact=True).fill("Every Page Ltd")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    _press(page, "Create account")
    page.wait_for_url(f"{url}/accounts/signup/sent/")


def _look_at_the_enrolment(eye: Inspector, url: str) -> None:
    page = eye.page
    page.wait_for_url(f"{url}/accounts/login/enrol/")
    page.get_by_text("Can’t scan it?").click()
    eye.inspect()
    _type_code(page, Authenticator(page.locator("#manual-key").inner_text()))
    page.locator(".recovery-list").wait_for()
    eye.inspect()
    eye.visit(f"{url}/accounts/login/enrol/codes/")

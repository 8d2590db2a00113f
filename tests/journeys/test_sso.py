"""An owner connects a provider that others wrote, requires it, and a newcomer comes in by it alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from kellexa_portal.dev.stack import Stack
from tests.support import daylight
from tests.support.authenticator import Authenticator
from tests.support.mailbox import Mailbox, link_in, subject_has
from tests.support.name_server import NameServer
from tests.support.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider, installed

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

PASSWORD = "nine quiet herons over the weir"
NEW_PASSWORD = "seven lanterns drift past the weir"


@dataclass(frozen=True, slots=True)
class World:
    """What the journey needs around the portal."""

    stack: Stack
    names: NameServer
    provider: OidcProvider
    mailbox: Mailbox


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A portal that may visit this machine, and asks a name server on it."""
    folder: Path = installed(tmp_path_factory.mktemp("provider"))
    with NameServer() as names, OidcProvider(folder) as provider:
        host, port = names.address
        extra = {"EGRESS_ALLOW": "127.0.0.0/8", "DNS_RESOLVERS": f"{host}:{port}"}
        with Stack(state_dir=tmp_path_factory.mktemp("sso"), extra=extra) as stack:
            yield World(stack, names, provider, Mailbox(stack.mail_dir))


def _press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def _enrol(page: Page) -> Authenticator:
    page.get_by_text("Can’t scan it?").click()
    app = Authenticator(page.locator("#manual-key").inner_text())
    page.get_by_label("Authentication code", exact=True).fill(app.code())
    _press(page, "Verify")
    codes = page.locator(".recovery-list code").all_inner_texts()
    page.get_by_label("Recovery code", exact=True).fill(codes[3])
    _press(page, "Verify")
    expect(page.get_by_role("heading", name="Security checkup")).to_be_visible()
    return app


def _sign_up(page: Page, world: World, email: str) -> Authenticator:
    page.goto(f"{world.stack.url}/accounts/signup/")
    page.get_by_label("Name", exact=True).fill("Olga Owner")
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_label("Organization", exact=True).fill("Federated Ltd")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    _press(page, "Create account")
    page.goto(link_in(world.mailbox.wait_for(email, subject_has("confirm"))))
    _press(page, "Confirm address")
    return _enrol(page)


def _verify_domain(page: Page, world: World, domain: str) -> None:
    page.goto(f"{world.stack.url}/accounts/organization/sso/")
    page.get_by_label("Domain", exact=True).fill(domain)
    _press(page, "Add domain")
    card = page.locator("article").filter(has_text=domain)
    record, value = card.locator("dd.mono").all_inner_texts()[:2]
    _press(page, f"Check now {domain}")
    expect(page.get_by_text("The TXT record was not found yet.")).to_be_visible()
    world.names.texts[record] = [value]
    _press(page, f"Check now {domain}")
    expect(page.get_by_text(f"{domain} is verified.")).to_be_visible()


def _connect(page: Page, world: World) -> None:
    world.provider.serve("http://localhost/nowhere")
    page.get_by_label("Issuer", exact=True).fill(world.provider.issuer)
    page.get_by_label("Client ID", exact=True).fill(CLIENT_ID)
    page.get_by_label("Client secret", exact=True).fill(CLIENT_SECRET)
    _press(page, "Save provider")
    expect(page.get_by_text("The provider is saved.")).to_be_visible()
    uri = page.locator("#provider ~ dl dd.mono").inner_text()
    assert uri.startswith(f"{world.stack.url}/accounts/login/sso/")
    world.provider.serve(uri)


def _pass_the_provider(page: Page, world: World, email: str) -> None:
    """From the page that leads there through the pages of the provider's own, and back."""
    expect(page.get_by_text(world.provider.issuer)).to_be_visible()
    page.get_by_role("link", name="Continue", exact=True).click()
    page.wait_for_url(lambda url: url.startswith(world.provider.issuer))
    page.locator("input[name=login]").fill(email)
    page.locator("input[name=password]").fill("anything")
    page.locator("button[type=submit]").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(lambda url: url.startswith(world.stack.url))


def _require(page: Page, app: Authenticator) -> None:
    page.get_by_role("link", name="Require single sign-on").click()
    page.get_by_label("Emergency owner").select_option(index=1)
    _press(page, "Require single sign-on")
    assert app.answers(page)
    page.get_by_label("Emergency owner").select_option(index=1)
    _press(page, "Require single sign-on")
    expect(page.get_by_text("Single sign-on is now required.")).to_be_visible()


def _sign_out(page: Page, world: World) -> None:
    page.goto(f"{world.stack.url}/accounts/logout/")
    _press(page, "Sign out")


def test_people_come_in_through_their_organizations_provider_alone(
    world: World, page: Page, browser: Browser
) -> None:
    domain = f"federated-{uuid4().hex[:8]}.test"
    owner, newcomer = f"olga@{domain}", f"nia@{domain}"
    app = _sign_up(page, world, owner)
    _verify_domain(page, world, domain)
    _connect(page, world)

    _press(page, "Test sign-in")
    _pass_the_provider(page, world, owner)
    expect(page.get_by_text(f"the provider vouched for {owner}")).to_be_visible()
    _require(page, app)

    theirs = browser.new_context(timezone_id=daylight.zone()).new_page()
    theirs.goto(f"{world.stack.url}/accounts/login/")
    theirs.get_by_role("link", name="Sign in with your organization").click()
    theirs.get_by_label("Email", exact=True).fill(newcomer)
    _press(theirs, "Continue")
    _pass_the_provider(theirs, world, newcomer)
    _enrol(theirs)
    expect(theirs.get_by_text("Federated Ltd").first).to_be_visible()
    _sign_out(theirs, world)

    _choose_a_password(theirs, world, newcomer)
    theirs.goto(f"{world.stack.url}/accounts/login/")
    theirs.get_by_label("Email", exact=True).fill(newcomer)
    theirs.get_by_label("Password", exact=True).fill(NEW_PASSWORD)
    _press(theirs, "Sign in")

    expect(theirs.get_by_text("asks you to sign in through its identity provider")).to_be_visible()
    expect(theirs.get_by_role("heading", name="Sign in with your organization")).to_be_visible()


def _choose_a_password(page: Page, world: World, email: str) -> None:
    """By the mailed reset, which is open to everybody; the password it sets opens nothing."""
    page.goto(f"{world.stack.url}/accounts/password/reset/")
    page.get_by_label("Email", exact=True).fill(email)
    page.get_by_role("main").get_by_role("button").first.click()
    page.goto(link_in(world.mailbox.wait_for(email, subject_has("password"))))
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Set password", exact=False).click()

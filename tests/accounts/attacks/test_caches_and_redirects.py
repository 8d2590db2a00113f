"""Attacks by what an answer leaves behind: pages in caches, and addresses to go on to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client

from accounts.identity.models import PendingSignIn, User
from accounts.mfa.models import TotpDevice
from accounts.sessions.models import AccountSession
from kellexa_portal.web.gates import Gate, gate_of
from tests.accounts.attacks.stranger import (
    LOGIN,
    SIGNUP,
    VERIFY,
)
from tests.factories import organizations
from tests.factories.sign_in import (
    enrolled,
    new_person,
    oathtool,
    prove_password,
    sign_in,
)
from tests.support.visitors import arrive

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.mark.parametrize("who", ["owner", "staff", "half signed in", "enrolling"])
def test_no_answer_to_a_person_may_be_stored(who: str) -> None:
    """Case 37 (Zulip 2021): by no cache on the way and no history of the browser, whatever the status."""
    visitor = replace(arrive(who, organizations.founder()), walks=("accounts/", "admin/"))
    stored = []
    for route, address in visitor.addresses():
        is_open = gate_of(route.view) in {Gate.PUBLIC, Gate.MACHINE}
        if is_open and not route.pattern.startswith("accounts/login/"):
            continue
        for method in ("GET", "POST"):
            answer = visitor.asks(method, address)
            words = {word.strip() for word in answer.get("Cache-Control", "").split(",")}
            needed = {"no-store", "private"} if answer.status_code == 200 else {"no-store"}
            if answer.status_code not in {302, 303, 403, 404, 405} and not needed <= words:
                stored.append(f"{method} {address}: {answer.status_code} {sorted(words)}")

    assert stored == []


EVIL = [
    "//evil.example",
    "///evil.example",
    "https://evil.example/",
    "https:evil.example",
    "http:///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "//localhost@evil.example",
    "/" + "x" * 3000,
    "\u2044\u2044evil.example",
]


@pytest.mark.parametrize("target", EVIL)
def test_a_sign_in_leads_to_no_other_site(client: Client, ada: User, device: TotpDevice, target: str) -> None:
    """Case 38 (allauth 65.19.5): to the home of the account instead, from the form and from the address."""
    client.get(LOGIN, {"next": target})
    prove_password(client, ada, next_url=target)

    assert PendingSignIn.objects.get().next_url == ""
    assert (
        client.post(VERIFY, {"code": oathtool(device.open_seed()), "next": target})["Location"]
        == "/accounts/"
    )


@pytest.mark.parametrize("target", EVIL)
def test_a_signed_in_visitor_is_led_to_no_other_site(client: Client, ada: User, target: str) -> None:
    """Case 38 (allauth 65.19.5): by no page that knows where to go next."""
    place = organizations.founder(owner=ada)
    session = sign_in(client, ada)
    organization = {"organization": str(place.organization.public_id), "next": target}

    answers = [
        client.get(LOGIN, {"next": target}),
        client.get(SIGNUP, {"next": target}),
        client.post("/accounts/organization/switch/", organization),
        client.post("/appearance/", {"theme": "dark", "next": target}),
    ]
    AccountSession.objects.filter(pk=session.pk).update(proof_at=session.started_at.replace(year=2020))
    code = oathtool(enrolled(ada).open_seed())
    answers.append(
        client.post(
            f"/accounts/verify/?next={target}&q={target}", {"way": "totp", "code": code, "next": target}
        )
    )

    for answer in answers:
        assert answer.status_code in {302, 303}
        assert "evil" not in answer["Location"]
        assert answer["Location"].startswith("/")
        assert not answer["Location"].startswith("//")


@pytest.mark.parametrize("target", ["/admin/", "/admin/accounts/user/"])
def test_a_customer_is_not_led_to_the_staff_site(
    client: Client, ada: User, device: TotpDevice, target: str
) -> None:
    """Case 38 (allauth 65.19.5): a landing of the right kind, for customers and for staff."""
    prove_password(client, ada, next_url=target)

    assert client.post(VERIFY, {"code": oathtool(device.open_seed())})["Location"] == "/accounts/"


def test_staff_are_not_led_to_a_customers_page(client: Client) -> None:
    """Case 38 (allauth 65.19.5)."""
    staff = new_person("sam@kellexa.example", is_staff=True)
    device = enrolled(staff)
    prove_password(client, staff, next_url="/accounts/keys/")

    assert client.post(VERIFY, {"code": oathtool(device.open_seed())})["Location"] == "/admin/"

"""Whatever is sent to whichever address: it is answered, never with a 500, and never with another's data.

The addresses come from the URLconf, so that a page which is added later is walked too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.organizations.models import Membership
from kellexa_portal.web.gates import Gate, gate_of
from kellexa_portal.web.routes import Route
from tests.factories import credentials, sign_in
from tests.factories.organizations import founder, member
from tests.support.addresses import address_of, arguments_of, routes
from tests.support.forms import own_form_of
from tests.support.garbage import HEADERS, QUERIES, UNREADABLE, posts
from tests.support.visitors import ARRIVALS, Visitor, arrive

pytestmark = pytest.mark.django_db

REQUEST_ID = re.compile(r"\b[0-9a-f]{32}\b")
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')

# What only a POST reaches shows no form of its own to read the fields from.
POSTED = {
    "ui:theme": ("theme", "next"),
    "organizations:switch": ("organization", "next"),
    "credentials:contacts": ("contacts",),
    "api:keys_verify": ("token", "scope", "ip"),
}


@pytest.fixture
def owner() -> Membership:
    return founder("Acme")


@pytest.fixture(params=ARRIVALS)
def visitor(request: pytest.FixtureRequest, owner: Membership) -> Visitor:
    return arrive(request.param, owner)


@pytest.fixture
def mine(owner: Membership) -> Visitor:
    """The owner's browser."""
    return arrive("owner", owner)


@pytest.fixture
def staff(owner: Membership) -> Visitor:
    """An administrator's browser."""
    return arrive("staff", owner)


def _is_broken(answer: HttpResponse) -> bool:
    return answer.status_code >= 500


def _is_admin(route: Route) -> bool:
    return route.pattern.startswith("admin/")


def _fields(visitor: Visitor, route: Route, address: str) -> tuple[str, ...]:
    if route.name in POSTED:
        return POSTED[route.name]
    page = visitor.asks("GET", address)
    if page.status_code != 200 or not page["Content-Type"].startswith("text/html"):
        return ("next",)
    form = own_form_of(page)
    return tuple(form.fields) if form else ("next",)


def _without_traces(answer: HttpResponse, ids: Mapping[str, str] | None = None) -> str:
    """The page without what differs between any two answers, and without the ids that were asked for."""
    text = REQUEST_ID.sub("", CSRF.sub("", answer.content.decode()))
    for asked in (ids or {}).values():
        text = text.replace(asked, "")
    return text


# --- What is posted ------------------------------------------------------------------------------

CLOSED = {302, 303, 404}
AT_A_CLOSED_DOOR = ("nonsense", "too large", "multipart with NUL", "multipart in no text")


def _kinds(visitor: Visitor, route: Route, address: str) -> dict[str, tuple[bytes, str]]:
    """Every body for a page that reads its form; a few for a door that is closed before it is read."""
    every = posts(_fields(visitor, route, address))
    is_closed = route.name not in POSTED and visitor.asks("POST", address).status_code in CLOSED | {405}
    return {kind: every[kind] for kind in AT_A_CLOSED_DOOR} if is_closed else every


def test_no_post_breaks_a_page(visitor: Visitor) -> None:
    broken = []
    for route, address in visitor.addresses(without=("admin/",)):
        for kind, (body, content_type) in _kinds(visitor, route, address).items():
            answer = visitor.asks("POST", address, body, content_type=content_type)
            if _is_broken(answer):
                broken.append(f"{answer.status_code} {kind}: {address}")

    assert broken == []


def test_no_post_breaks_the_staff_site(staff: Visitor) -> None:
    fields = ("action", "_selected_action", "index", "select_across", "_save", "post", "next")

    broken = []
    for route, address in staff.addresses():
        if not _is_admin(route):
            continue
        for kind in ("nothing", "nonsense") if arguments_of(route) else ("nonsense", "repeated and arrays"):
            body, content_type = posts(fields)[kind]
            answer = staff.asks("POST", address, body, content_type=content_type)
            if _is_broken(answer):
                broken.append(f"{answer.status_code} {kind}: {address}")

    assert broken == []


@pytest.mark.parametrize("kind", sorted(UNREADABLE))
def test_a_form_that_cannot_be_read_as_typed_is_refused_and_changes_nothing(
    mine: Visitor, owner: Membership, kind: str
) -> None:
    fields = ("password", "new_password")
    body, content_type = posts(fields)[kind]

    answer = mine.asks("POST", "/accounts/password/", body, content_type=content_type)

    assert answer.status_code == 400
    assert "UTF-8" in answer.content.decode()


# --- What is asked for ----------------------------------------------------------------------------


def test_no_query_breaks_a_page(visitor: Visitor) -> None:
    broken = []
    for route, address in visitor.addresses():
        is_list = not _is_admin(route) or (visitor.name == "staff" and not arguments_of(route))
        for kind in QUERIES if is_list else ("nonsense",):
            answer = visitor.asks("GET", f"{address}?{QUERIES[kind]}")
            if _is_broken(answer):
                broken.append(f"{answer.status_code} {kind}: {address}")

    assert broken == []


@pytest.mark.parametrize("kind", HEADERS)
def test_no_header_breaks_a_page(mine: Visitor, kind: str) -> None:
    headers = dict(HEADERS[kind])
    content_type = headers.pop("content-type", "")
    broken = []
    for _route, address in mine.addresses(without=("admin/",)):
        for method in ("GET", "POST"):
            options: dict[str, Any] = {"headers": headers}
            if content_type:
                options["content_type"] = content_type
            answer = mine.asks(method, address, **options)
            if _is_broken(answer):
                broken.append(f"{answer.status_code} {method} {address}")

    assert broken == []


# --- Wrong methods --------------------------------------------------------------------------------

METHODS = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")


def test_a_wrong_method_is_refused_or_finds_the_door_as_closed_as_get(visitor: Visitor) -> None:
    wrong = []
    for route, address in visitor.addresses(without=("admin/",)):
        got = visitor.asks("GET", address)
        head = visitor.asks("HEAD", address)
        if head.status_code != got.status_code and (head.status_code, route.name) != (405, "api:keys_self"):
            wrong.append(f"HEAD {address}: {head.status_code}, GET: {got.status_code}")
        for method in METHODS:
            answer = visitor.asks(method, address)
            is_closed = answer.status_code == got.status_code and got.status_code in CLOSED
            if answer.status_code != 405 and not is_closed:
                wrong.append(f"{method} {address}: {answer.status_code}, GET: {got.status_code}")
            if answer.status_code == 405 and not answer.get("Allow"):
                wrong.append(f"{method} {address}: 405 without Allow")

    assert wrong == []


def test_a_wrong_method_is_told_so_before_a_missing_csrf_token(mine: Visitor) -> None:
    """Whatever the browser forgot to send, no other refusal hides that the address takes no such method."""
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = mine.client.cookies

    answers = {
        f"{method} {address}": strict.generic(method, address)
        for route, address in mine.addresses()
        if gate_of(route.view) is not Gate.MACHINE
        for method in METHODS
    }

    assert len(answers) > 300
    assert {what: answer.status_code for what, answer in answers.items() if answer.status_code != 405} == {}
    assert [what for what, answer in answers.items() if not answer.get("Allow")] == []


def test_a_page_that_only_shows_says_so_before_it_asks_for_a_csrf_token() -> None:
    strict = Client(enforce_csrf_checks=True)

    assert strict.post(reverse("accounts:login")).status_code == 403
    assert strict.post(reverse("credentials:list")).status_code == 405
    assert strict.post(reverse("credentials:list"))["Allow"] == "GET, HEAD"


def test_a_wrong_method_breaks_nothing_of_the_staff_site(staff: Visitor) -> None:

    broken = [
        f"{method} {address}"
        for route, address in staff.addresses()
        if _is_admin(route)
        for method in ("PUT", "DELETE", "BREW")
        if _is_broken(staff.asks(method, address))
    ]

    assert broken == []


# --- Ids ------------------------------------------------------------------------------------------

NOWHERE = {302, 303, 400, 404, 405}
MALFORMED = [
    "x",
    "..",
    "%2e%2e%2f%2e%2e",
    "%00",
    "%ff",
    "%0d%0aX-Evil:1",
    "1%20or%201=1",
    "'",
    "%3Cscript%3E",
    "9" * 40,
    "-1",
    "a" * 3_000,
    "00000000-0000-0000-0000-000000000000",
    "%F0%9F%92%A5",
]
MALFORMED_FOR_STAFF = ["x", "%00", "9" * 40, "_5F_2E_FF"]


def test_a_malformed_id_leads_nowhere(visitor: Visitor) -> None:
    wrong = []
    for route in routes(under=visitor.walks, without=("dev/styleguide",)):
        for bad in _malformed(visitor, route):
            address = address_of(route, dict.fromkeys(arguments_of(route), bad))
            for method in ("GET",) if _is_admin(route) else ("GET", "POST"):
                answer = visitor.asks(method, address)
                if answer.status_code not in NOWHERE and not (_is_admin(route) and answer.status_code == 403):
                    wrong.append(f"{method} {address[:80]}: {answer.status_code}")

    assert wrong == []


def _malformed(visitor: Visitor, route: Route) -> list[str]:
    if not arguments_of(route) or (_is_admin(route) and visitor.name != "staff"):
        return []
    return MALFORMED_FOR_STAFF if _is_admin(route) else MALFORMED


FOREIGN = {"key_id", "public_id"}
SECRETS = {
    "accounts:email_confirm",
    "accounts:email_undo",
    "accounts:signup_confirm",
    "accounts:password_reset_confirm",
    "lockdown:link",
    "recovery:cancel_link",
    "recovery:finish",
    "organizations:invitation",
}


def test_every_address_with_an_id_is_known_to_these_tests() -> None:
    found = {
        route.name: arguments_of(route)
        for route in routes(without=("admin/", "dev/", "api/"))
        if arguments_of(route)
    }

    assert {name for name, names in found.items() if not set(names) <= FOREIGN} == SECRETS


def _foreign() -> dict[str, str]:
    """Ids of things that exist and belong to others."""
    other = founder("Globex")
    session = sign_in.sign_in(Client(), other.user)
    return {"key_id": credentials.api_key(other).key_id, "public_id": str(session.public_id)}


def test_anothers_id_and_one_that_never_was_meet_the_same_page(mine: Visitor) -> None:
    foreign, unknown = _foreign(), {"key_id": "0" * 14, "public_id": str(uuid4())}
    different = []
    for route in routes(without=("admin/", "dev/", "api/")):
        if not set(arguments_of(route)) & FOREIGN:
            continue
        for method in ("GET", "POST"):
            theirs = mine.asks(method, address_of(route, foreign), b"reason=leaked&overlap=0")
            nobodys = mine.asks(method, address_of(route, unknown), b"reason=leaked&overlap=0")
            if theirs.status_code not in {404, 405} or _without_traces(theirs, foreign) != _without_traces(
                nobodys, unknown
            ):
                different.append(f"{method} {route.pattern}: {theirs.status_code}, {nobodys.status_code}")

    assert different == []


def test_anothers_organization_is_not_switched_to_nor_told_apart(mine: Visitor) -> None:
    other = founder("Globex").organization

    theirs = mine.asks("POST", "/accounts/organization/switch/", f"organization={other.public_id}")
    nobodys = mine.asks("POST", "/accounts/organization/switch/", f"organization={uuid4()}")

    assert theirs.status_code == nobodys.status_code == 404
    assert _without_traces(theirs) == _without_traces(nobodys)


def test_anothers_member_is_no_contact_nor_told_apart(mine: Visitor, owner: Membership) -> None:
    stranger = str(member(founder("Globex").organization).user.public_id)
    address = f"/accounts/keys/{mine.arguments['*']['key_id']}/contacts/"
    nobody = str(uuid4())

    theirs = mine.asks("POST", address, f"contacts={stranger}")
    nobodys = mine.asks("POST", address, f"contacts={nobody}")

    assert theirs.status_code == nobodys.status_code == 422
    assert _without_traces(theirs, {"": stranger}) == _without_traces(nobodys, {"": nobody})


def test_anothers_member_as_a_filter_shows_what_no_filter_shows(mine: Visitor) -> None:
    stranger = founder("Globex")
    key = credentials.api_key(stranger, name="Globex secret sync")

    answer = mine.asks("GET", f"/accounts/keys/?owner={stranger.user.public_id}&cursor=OTk5OTk5")

    assert answer.status_code == 200
    assert key.name not in answer.content.decode()
    assert key.key_id not in answer.content.decode()


# --- What a refused form shows --------------------------------------------------------------------

TYPED = {"text", "email", "textarea", "search"}
SECRET_FIELDS = {"password", "new_password", "code", "recovery_code", "client_secret"}
TYPED_SECRET = "zq7<&\"'>7qz"


def _forms(visitor: Visitor) -> Iterator[tuple[Route, str, dict[str, str]]]:
    for route, address in visitor.addresses(without=("admin/", "dev/", "api/")):
        page = visitor.asks("GET", address)
        if page.status_code == 200 and (form := own_form_of(page)):
            yield route, address, form.fields


def test_a_refused_form_keeps_what_was_typed_and_forgets_secrets(visitor: Visitor) -> None:
    faults = []
    for _route, address, fields in _forms(visitor):
        typed = {
            name: TYPED_SECRET if name in SECRET_FIELDS else f"typed-{name}-<&>"
            for name in fields
            if fields[name] in TYPED | {"password", "date"}
        }
        answer = visitor.asks("POST", address, urlencode(typed))
        text = answer.content.decode()
        if answer.status_code != 422:
            faults.append(f"{address}: {answer.status_code}")
        faults += [
            f"{address}: {name} is echoed"
            for name in typed
            if name in SECRET_FIELDS and (TYPED_SECRET in text or escape(TYPED_SECRET) in text)
        ]
        faults += [
            f"{address}: {name} is lost"
            for name, value in typed.items()
            if name not in SECRET_FIELDS and escape(value) not in text
        ]

    assert faults == []


def test_every_password_field_is_known_to_these_tests(visitor: Visitor) -> None:
    found = {
        name for _r, _a, fields in _forms(visitor) for name, kind in fields.items() if kind == "password"
    }

    assert found <= SECRET_FIELDS


@pytest.mark.parametrize("length", [9, 300, 100_000])
def test_no_page_ever_echoes_a_password(visitor: Visitor, length: int) -> None:
    secret = ("zq7" * length)[:length]
    echoed = []
    for _route, address, fields in _forms(visitor):
        values = {name: secret if name in SECRET_FIELDS else "x@customer.example" for name in fields}
        answer = visitor.asks("POST", address, urlencode(values))
        if set(fields) & SECRET_FIELDS and "zq7zq7zq7" in answer.content.decode():
            echoed.append(address)

    assert echoed == []

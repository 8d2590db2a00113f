"""Whatever is sent to whichever address: it is answered, never with a 500, and never with another's data.

The addresses come from the URLconf, so that a page which is added later is walked too.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils import timezone

from accounts.identity import tokens
from accounts.identity.models import PasswordReset, SignUp
from accounts.organizations.models import Membership
from kellexa_portal.web.routes import Route
from tests.factories import accounts, credentials, sign_in
from tests.factories.organizations import founder, member
from tests.support.addresses import address_of, arguments_of, routes
from tests.support.forms import own_form_of

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
LONG = "x" * 100_000
NONSENSE = "'\"><script>alert(1)</script>{{7*7}}${7*7}%s%n ../../etc/passwd \u202e\U0001f4a5 -1e999"
NUMBERS = ["9" * 40, "-1", "NaN", "1e9999", "٣", "0x10", ""]
REQUEST_ID = re.compile(r"\b[0-9a-f]{32}\b")
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')

# What only a POST reaches shows no form of its own to read the fields from.
POSTED = {
    "ui:theme": ("theme", "next"),
    "organizations:switch": ("organization", "next"),
    "credentials:contacts": ("contacts",),
    "api:keys_verify": ("token", "scope", "ip"),
}
QUERY = ("q", "state", "kind", "environment", "owner", "cursor", "next", "page", "p", "o", "e", "all")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with a browser, whose every request leaves the portal as it was."""

    name: str
    client: Client
    arguments: Mapping[str, Mapping[str, str]]

    def asks(self, method: str, address: str, data: Any = b"", **options: Any) -> HttpResponse:
        """The answer, after which what it wrote is undone, so that each request meets the same portal."""
        cookies = copy.deepcopy(self.client.cookies)
        with transaction.atomic():
            if method in {"GET", "HEAD"}:
                answer = self.client.generic(method, address, **options)
            else:
                options.setdefault("content_type", FORM)
                answer = self.client.generic(method, address, data, **options)
            transaction.set_rollback(True)
        self.client.cookies = cookies
        return answer

    def addresses(self, *, without: tuple[str, ...] = ()) -> Iterator[tuple[Route, str]]:
        """Every route with an address that leads to something that exists where there is such a thing."""
        for route in routes(without=without):
            yield route, address_of(route, {**self.arguments["*"], **self.arguments.get(route.name, {})})


def _arguments(owner: Membership) -> dict[str, dict[str, str]]:
    """What stands in the addresses, by the name of the route; ``*`` is for all that are not named."""
    key = credentials.api_key(owner)
    return {
        "*": {
            "key_id": key.key_id,
            "public_id": str(uuid4()),
            "object_id": "1",
            "content_type_id": "1",
            "app_label": "accounts",
            "rest": "nothing/here",
            "url": "nothing/here",
            "name": "public",
        },
        "accounts:signup_confirm": {"token": _sign_up_link()},
        "accounts:password_reset_confirm": {"token": _reset_link(owner)},
    }


def _sign_up_link() -> str:
    token = tokens.new()
    SignUp.objects.create(
        email="wish@new.example",
        name="Wish",
        organization_name="Wish Ltd",
        password="!",
        token_hash=tokens.digest(token),
        browser_hash=tokens.digest("another browser"),
        expires_at=timezone.now() + timedelta(hours=1),
    )
    return token


def _reset_link(owner: Membership) -> str:
    token = tokens.new()
    PasswordReset.objects.create(
        user=owner.user,
        epoch=owner.user.security_epoch,
        token_hash=tokens.digest(token),
        expires_at=timezone.now() + timedelta(hours=1),
    )
    return token


def _anonymous(client: Client, owner: Membership) -> None:
    """Shows nothing."""


def _owner(client: Client, owner: Membership) -> None:
    sign_in.sign_in(client, owner.user)


def _staff(client: Client, owner: Membership) -> None:
    sign_in.sign_in(client, accounts.staff())


def _half_signed_in(client: Client, owner: Membership) -> None:
    person = sign_in.new_person("half@customer.example")
    sign_in.enrolled(person)
    sign_in.prove_password(client, person)


def _enrolling(client: Client, owner: Membership) -> None:
    sign_in.prove_password(client, sign_in.new_person("enrolling@customer.example"))


ARRIVALS: dict[str, Callable[[Client, Membership], None]] = {
    "anonymous": _anonymous,
    "owner": _owner,
    "staff": _staff,
    "half signed in": _half_signed_in,
    "enrolling": _enrolling,
}


@pytest.fixture
def owner() -> Membership:
    return founder("Acme")


@pytest.fixture(params=ARRIVALS)
def visitor(request: pytest.FixtureRequest, owner: Membership) -> Visitor:
    client = Client(raise_request_exception=False)
    arguments = _arguments(owner)
    ARRIVALS[request.param](client, owner)
    return Visitor(request.param, client, arguments)


@pytest.fixture
def mine(owner: Membership) -> Visitor:
    """The owner's browser."""
    client = Client(raise_request_exception=False)
    sign_in.sign_in(client, owner.user)
    return Visitor("owner", client, _arguments(owner))


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


def _urlencoded(fields: tuple[str, ...], value: str) -> bytes:
    return urlencode(dict.fromkeys(fields, value)).encode()


def _multipart(fields: tuple[str, ...], value: str) -> bytes:
    return encode_multipart(BOUNDARY, dict.fromkeys(fields, value))


def _raw_multipart(fields: tuple[str, ...], value: bytes) -> bytes:
    return _multipart(fields, "PLACE").replace(b"PLACE", value)


def _posts(fields: tuple[str, ...]) -> dict[str, tuple[bytes, str]]:
    """Bodies with their content types: each is a way in which a form may come broken."""
    twice = "&".join(f"{name}=a&{name}=b&{name}[]=c&{name}[0][x]=d" for name in fields)
    return {
        "nothing": (b"", FORM),
        "over-long": (_urlencoded(fields, LONG), FORM),
        "nonsense": (_urlencoded(fields, NONSENSE), FORM),
        "repeated and arrays": (twice.encode(), FORM),
        "too many fields": (b"&".join(b"a%d=1" % number for number in range(500)), FORM),
        "too large": (b"a=" + b"x" * 1_200_000, FORM),
        "NUL": (_urlencoded(fields, "a\x00b"), FORM),
        "not UTF-8": (b"&".join(name.encode() + b"=%ff%fe" for name in fields), FORM),
        "lone surrogate": (b"&".join(name.encode() + b"=%ed%a0%80" for name in fields), FORM),
        "JSON": (json.dumps({name: ["x"] for name in fields}).encode(), "application/json"),
        "plain text": (b"\x00\xff", "text/plain"),
        "no type": (b"a=b", ""),
        "unknown charset": (_urlencoded(fields, "x"), f"{FORM}; charset=nonsense"),
        "charset that is no text": (_urlencoded(fields, "x"), f"{FORM}; charset=zlib"),
        "multipart": (_multipart(fields, NONSENSE), MULTIPART_CONTENT),
        "multipart with NUL": (_multipart(fields, "a\x00b"), MULTIPART_CONTENT),
        "multipart, not UTF-8": (_raw_multipart(fields, b"\xff\xfe"), MULTIPART_CONTENT),
        "multipart in no text": (_multipart(fields, "x"), f"{MULTIPART_CONTENT}; charset=zlib"),
        "multipart without boundary": (b"x", "multipart/form-data"),
        "multipart cut off": (_multipart(fields, "x")[:40], MULTIPART_CONTENT),
        "a file for a field": (
            _multipart(fields, "x").replace(b'"\r\n', b'"; filename="x.txt"\r\n'),
            MULTIPART_CONTENT,
        ),
    } | {f"number {number!r}": (_urlencoded(fields, number), FORM) for number in NUMBERS}


CLOSED = {302, 303, 404}
AT_A_CLOSED_DOOR = ("nonsense", "too large", "multipart with NUL", "multipart in no text")
UNREADABLE = {
    "NUL",
    "not UTF-8",
    "lone surrogate",
    "charset that is no text",
    "multipart with NUL",
    "multipart, not UTF-8",
    "multipart in no text",
}


def _kinds(visitor: Visitor, route: Route, address: str) -> dict[str, tuple[bytes, str]]:
    """Every body for a page that reads its form; a few for a door that is closed before it is read."""
    posts = _posts(_fields(visitor, route, address))
    is_closed = route.name not in POSTED and visitor.asks("POST", address).status_code in CLOSED | {405}
    return {kind: posts[kind] for kind in AT_A_CLOSED_DOOR} if is_closed else posts


def test_no_post_breaks_a_page(visitor: Visitor) -> None:
    broken = []
    for route, address in visitor.addresses(without=("admin/",)):
        for kind, (body, content_type) in _kinds(visitor, route, address).items():
            answer = visitor.asks("POST", address, body, content_type=content_type)
            if _is_broken(answer):
                broken.append(f"{answer.status_code} {kind}: {address}")

    assert broken == []


def test_no_post_breaks_the_staff_site(owner: Membership) -> None:
    client = Client(raise_request_exception=False)
    visitor = Visitor("staff", client, _arguments(owner))
    _staff(client, owner)
    fields = ("action", "_selected_action", "index", "select_across", "_save", "post", "next")

    broken = []
    for route, address in visitor.addresses():
        if not _is_admin(route):
            continue
        for kind in ("nothing", "nonsense", "multipart with NUL", "repeated and arrays"):
            body, content_type = _posts(fields)[kind]
            answer = visitor.asks("POST", address, body, content_type=content_type)
            if _is_broken(answer):
                broken.append(f"{answer.status_code} {kind}: {address}")

    assert broken == []


@pytest.mark.parametrize("kind", sorted(UNREADABLE))
def test_a_form_that_cannot_be_read_as_typed_is_refused_and_changes_nothing(
    mine: Visitor, owner: Membership, kind: str
) -> None:
    fields = ("password", "new_password")
    body, content_type = _posts(fields)[kind]

    answer = mine.asks("POST", "/accounts/password/", body, content_type=content_type)

    assert answer.status_code == 400
    assert "UTF-8" in answer.content.decode()


# --- What is asked for ----------------------------------------------------------------------------

QUERIES = {
    "over-long": urlencode(dict.fromkeys(QUERY, "x" * 5_000)),
    "nonsense": urlencode(dict.fromkeys(QUERY, NONSENSE)),
    "repeated and arrays": "&".join(f"{name}=a&{name}=b&{name}[]=c" for name in QUERY),
    "too many fields": "&".join(f"a{number}=1" for number in range(500)),
    "NUL": urlencode(dict.fromkeys(QUERY, "a\x00b")),
    "not UTF-8": "&".join(f"{name}=%ff" for name in QUERY),
    "broken percent": "q=%&cursor=%zz&next=%u0041",
    **{f"number {number!r}": urlencode(dict.fromkeys(QUERY, number)) for number in NUMBERS},
}
HEADERS = {
    "a session that is no text": {"cookie": f'{settings.SESSION_COOKIE_NAME}="\\000aaaaaaaaaaaa"'},
    "an over-long session": {"cookie": f"{settings.SESSION_COOKIE_NAME}={'x' * 5_000}"},
    "cookies of nonsense": {"cookie": 'theme="\\377\\000"; csrf=\xff; messages=x; a; =; ;;'},
    "a charset that is no text": {"content-type": "text/html; charset=zlib"},
    "a language of nonsense": {"accept-language": "x" * 3_000 + ",*;q=9,\x00"},
    "agent of nonsense": {"user-agent": "\xff\x00" * 500},
    "forwarded from nowhere": {"x-forwarded-for": "999.1.1.1, ::zz, \x00"},
    "an htmx request": {"hx-request": "true", "hx-current-url": "http://[", "hx-trigger": "\xff"},
}


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

METHODS = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")


def test_a_wrong_method_is_refused_or_finds_the_door_as_closed_as_get(visitor: Visitor) -> None:
    wrong = []
    for route, address in visitor.addresses(without=("admin/",)):
        got = visitor.asks("GET", address)
        head = visitor.asks("HEAD", address)
        if head.status_code != got.status_code and (head.status_code, route.name) != (405, "api:keys_self"):
            wrong.append(f"HEAD {address}: {head.status_code}, GET: {got.status_code}")
        for method in METHODS[1:]:
            answer = visitor.asks(method, address)
            is_closed = answer.status_code == got.status_code and got.status_code in CLOSED
            if answer.status_code != 405 and not is_closed:
                wrong.append(f"{method} {address}: {answer.status_code}, GET: {got.status_code}")
            if answer.status_code == 405 and not answer.get("Allow"):
                wrong.append(f"{method} {address}: 405 without Allow")

    assert wrong == []


def test_a_wrong_method_breaks_nothing_of_the_staff_site(owner: Membership) -> None:
    client = Client(raise_request_exception=False)
    visitor = Visitor("staff", client, _arguments(owner))
    _staff(client, owner)

    broken = [
        f"{method} {address}"
        for route, address in visitor.addresses()
        if _is_admin(route)
        for method in METHODS
        if _is_broken(visitor.asks(method, address))
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


def test_a_malformed_id_leads_nowhere(visitor: Visitor) -> None:
    wrong = []
    for route in routes(
        without=("dev/styleguide",) if visitor.name == "staff" else ("dev/styleguide", "admin/")
    ):
        for bad in MALFORMED if arguments_of(route) else ():
            address = address_of(route, dict.fromkeys(arguments_of(route), bad))
            for method in ("GET",) if _is_admin(route) else ("GET", "POST"):
                answer = visitor.asks(method, address)
                if answer.status_code not in NOWHERE and not (_is_admin(route) and answer.status_code == 403):
                    wrong.append(f"{method} {address[:80]}: {answer.status_code}")

    assert wrong == []


FOREIGN = {"key_id", "public_id"}
SECRETS = {"accounts:signup_confirm", "accounts:password_reset_confirm"}


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
SECRET_FIELDS = {"password", "new_password", "code", "recovery_code"}
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


# --- The JSON API ---------------------------------------------------------------------------------

JSON = "application/json"
MALFORMED_JSON = {
    "nothing": b"",
    "no JSON": b"{",
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 20_000,
    "not UTF-8": b'{"token": "\xff"}',
    "a huge number": b'{"token": ' + b"9" * 5_000 + b"}",
    "trailing": b'{"token": "x"} {}',
}
WRONG_JSON = {
    "null": b"null",
    "a list": b"[]",
    "a text": b'"x"',
    "a number": b"1e400",
    "NaN": b"NaN",
    "no token": b"{}",
    "token null": b'{"token": null}',
    "token list": b'{"token": ["x"]}',
    "token object": b'{"token": {"$ne": null}}',
    "token true": b'{"token": true}',
    "token number": b'{"token": 1e400}',
    "scope list": b'{"token": "x", "scope": ["a"]}',
    "scope over-long": json.dumps({"token": "x", "scope": "a" * 2_000}).encode(),
    "ip number": b'{"token": "x", "ip": 1}',
    "ip nonsense": b'{"token": "x", "ip": "999.1.1.1"}',
    "ip NUL": b'{"token": "x", "ip": "\\u0000"}',
    "ip surrogate": b'{"token": "x", "ip": "\\ud800"}',
}
INACTIVE_JSON = {
    "token NUL": b'{"token": "\\u0000"}',
    "token surrogate": b'{"token": "\\ud800"}',
    "token over-long": json.dumps({"token": "k" * 10_000}).encode(),
    "UTF-16": '{"token": "x"}'.encode("utf-16"),
    "token empty": b'{"token": ""}',
    "scope surrogate": b'{"token": "x", "scope": "\\ud800"}',
    "twice": b'{"token": 1, "token": "x"}',
    "more": b'{"token": "x", "__proto__": {}, "extra": [1]}',
}


def _verify(body: bytes, content_type: str = JSON, **headers: str) -> HttpResponse:
    bearer = {"authorization": f"Bearer {credentials.gateway().token}", **headers}
    client = Client(raise_request_exception=False)
    return client.generic("POST", "/api/v1/keys/verify", body, content_type=content_type, headers=bearer)


def _assert_problem(answer: HttpResponse, statuses: set[int]) -> None:
    assert answer.status_code in statuses, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert json.loads(answer.content)["code"]


@pytest.mark.parametrize("kind", MALFORMED_JSON)
def test_malformed_json_is_a_problem(kind: str) -> None:
    _assert_problem(_verify(MALFORMED_JSON[kind]), {400, 413, 415})


@pytest.mark.parametrize("kind", WRONG_JSON)
def test_json_of_the_wrong_shape_is_a_problem(kind: str) -> None:
    _assert_problem(_verify(WRONG_JSON[kind]), {422})


@pytest.mark.parametrize("kind", INACTIVE_JSON)
def test_a_token_that_can_be_none_is_inactive(kind: str) -> None:
    answer = _verify(INACTIVE_JSON[kind])

    assert answer.status_code == 200
    assert json.loads(answer.content) == {"active": False}


@pytest.mark.parametrize("size", [17_000, 1_100_000, 5_000_000])
def test_a_huge_body_is_a_problem(size: int) -> None:
    _assert_problem(_verify(json.dumps({"token": "k" * size}).encode()), {413})


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/xml", "x/y; charset=zlib", f"{JSON}; charset=zlib"]
)
def test_another_content_type_is_a_problem(content_type: str) -> None:
    _assert_problem(_verify(b'{"token": "x"}', content_type), {400, 415})


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer a b",
        "Bearer \xff",
        "Bearer \x00",
        "Bearer " + "k" * 9_000,
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "keys/verify"), ("GET", "keys/self")])
def test_a_credential_that_is_none_is_refused(method: str, path: str, credential: str) -> None:
    answer = Client(raise_request_exception=False).generic(
        method, f"/api/v1/{path}", b'{"token": "x"}', content_type=JSON, headers={"authorization": credential}
    )

    _assert_problem(answer, {401})


@pytest.mark.parametrize("path", ["nothing", "keys", "keys/verify/", "%ff", "..%2f..", quote("\U0001f4a5")])
@pytest.mark.parametrize("method", ["GET", *METHODS])
def test_an_address_of_the_api_that_leads_nowhere_is_a_problem(method: str, path: str) -> None:
    answer = Client(raise_request_exception=False).generic(method, f"/api/v1/{path}")

    _assert_problem(answer, {404})

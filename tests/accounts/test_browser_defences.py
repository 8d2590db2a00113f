"""What every answer tells a browser, and what a browser can be made to send: crawled over all routes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from kellexa_portal.web.gates import Gate, gate_of
from kellexa_portal.web.methods import methods_of
from tests.accounts.attacks.stranger import LOGIN, VERIFY
from tests.factories import accounts, organizations
from tests.factories.sign_in import enrolled, new_person, oathtool, prove_password, sign_in
from tests.kellexa_portal.env.surroundings import good_production, manage
from tests.support.forms import forms_of
from tests.support.visitors import Visitor, arrive

pytestmark = pytest.mark.django_db

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
POLICY = {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"}


@pytest.fixture(params=["anonymous", "owner", "staff"])
def visitor(request: pytest.FixtureRequest) -> Visitor:
    return arrive(request.param, organizations.founder("Acme"))


def _is_html(answer: HttpResponse) -> bool:
    return answer.status_code == 200 and answer["Content-Type"].startswith("text/html")


def _own(visitor: Visitor) -> Visitor:
    return replace(visitor, walks=("accounts/", "admin/", "api/"))


def test_every_answer_carries_the_headers_that_keep_a_browser_in_bounds(visitor: Visitor) -> None:
    faults = []
    for _route, address in _own(visitor).addresses():
        answer = visitor.asks("GET", address)
        policy = {part.strip() for part in answer.get("Content-Security-Policy", "").split(";")}
        faults += [f"{address}: {name}" for name, value in HEADERS.items() if answer.get(name) != value]
        faults += [f"{address}: {missing}" for missing in POLICY - policy]
        if "Access-Control-Allow-Origin" in answer:
            faults.append(f"{address}: opens itself to other origins")

    assert faults == []


def test_every_cookie_is_out_of_reach_of_scripts_and_other_sites(client: Client) -> None:
    person = new_person()
    device = enrolled(person)
    client.get(LOGIN)
    prove_password(client, person)
    client.post(VERIFY, {"code": oathtool(device.open_seed())})
    client.get("/accounts/")

    cookies = [cookie for cookie in client.cookies.values() if cookie.value]
    assert len(cookies) == 3
    assert all(cookie["httponly"] and cookie["samesite"] == "Lax" for cookie in cookies)
    assert all(cookie["path"] == "/" and not cookie["domain"] for cookie in cookies)


FORGETFUL = {"maxlength", "onpaste", "oncopy", "readonly"}


def test_every_password_is_typed_masked_and_may_be_pasted(visitor: Visitor) -> None:
    fields = {}
    for _route, address in _own(visitor).addresses(without=("api/",)):
        page = visitor.asks("GET", address)
        if _is_html(page):
            for field in re.findall(r"<input[^>]*>", page.content.decode()):
                if re.search(r'name="\w*password\w*"', field):
                    fields[f"{address} {field}"] = field

    assert all('type="password"' in field for field in fields.values())
    assert all(re.search(r'autocomplete="(?:current|new)-password"', field) for field in fields.values())
    assert not [field for field in fields.values() if any(word in field for word in FORGETFUL)]
    assert len(fields) >= {"anonymous": 4, "owner": 2, "staff": 2}[visitor.name]


def test_no_form_asks_for_a_hint(visitor: Visitor) -> None:
    names = {
        name
        for _route, address in _own(visitor).addresses(without=("api/",))
        for page in [visitor.asks("GET", address)]
        if _is_html(page)
        for form in forms_of(page)
        for name in form.fields
    }

    assert names
    assert not [name for name in names if re.search(r"hint|question|answer|birth|mother|maiden|pet", name)]


def test_every_page_of_a_signed_in_person_offers_the_way_out(client: Client) -> None:
    visitor = _own(arrive("owner", organizations.founder("Acme")))
    silent = []
    for route, address in visitor.addresses(without=("api/", "admin/")):
        page = visitor.asks("GET", address)
        if gate_of(route.view) is Gate.SIGNED_IN and _is_html(page):
            text = page.content.decode()
            if "/accounts/logout/" not in text or "Sign out" not in text:
                silent.append(address)

    assert silent == []


def test_a_form_that_another_site_sends_is_refused(visitor: Visitor) -> None:
    """Without the token of a form no POST is heard, whoever is signed in; a view without one takes none."""
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    strict.cookies = visitor.client.cookies
    outside = replace(_own(visitor), client=strict)

    heard = {
        address: answer.status_code
        for route, address in outside.addresses(without=("api/",))
        if gate_of(route.view) is not Gate.MACHINE
        for answer in [outside.asks("POST", address, b"a=b")]
        if answer.status_code != (403 if "POST" in (methods_of(route.view) or ["POST"]) else 405)
    }

    assert heard == {}


def _state() -> dict[str, set[str]]:
    """Every row of every table but the bookkeeping of requests."""
    ours = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if not table.startswith(("django_session", "account_sessions_", "ratelimit_", "audit_")):
                cursor.execute(f'SELECT row::text FROM "{table}" row')
                ours[table] = {text for (text,) in cursor.fetchall()}
    return ours


@pytest.mark.parametrize("who", ["customer", "staff"])
def test_looking_changes_nothing(client: Client, who: str) -> None:
    owner = organizations.founder("Acme")
    visitor = _own(arrive("owner", owner))
    sign_in(client, owner.user if who == "customer" else accounts.staff())
    addresses = [address for route, address in visitor.addresses() if gate_of(route.view) is not Gate.PUBLIC]
    before = _state()

    for address in addresses:
        client.get(address)

    after = _state()
    assert len(addresses) > 50
    assert {table for table in before if before[table] != after[table]} == set()


def test_production_binds_its_cookies_to_the_host_and_to_encryption(tmp_path: Path) -> None:
    result = manage("diffsettings", variables=good_production(tmp_path))

    settings = set(result.stdout.splitlines())
    assert {
        "SESSION_COOKIE_NAME = '__Host-session'",
        "SESSION_COOKIE_SECURE = True",
        "CSRF_COOKIE_NAME = '__Host-csrf'",
        "CSRF_COOKIE_SECURE = True",
        "SECURE_SSL_REDIRECT = True",
        "SECURE_HSTS_SECONDS = 63072000",
        "SECURE_HSTS_INCLUDE_SUBDOMAINS = True",
    } <= settings, result.stderr

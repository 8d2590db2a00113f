"""Attacks across the borders of organizations and of accounts: foreign ids, stray grants, curious eyes."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db import models
from django.db.models import Model
from django.test import Client

from accounts.credentials.models import ApiKey, ServiceKeyUserObjectPermission
from accounts.identity import tokens
from accounts.identity.models import PasswordReset, StaffAssignment
from accounts.mfa.models import TotpDevice
from accounts.organizations.models import Membership
from accounts.sessions.models import AccountSession
from kellexa_portal.web.routes import Route
from tests.accounts.attacks.stranger import RESET, SESSIONS, key_of
from tests.accounts.credentials.pages import LIST, url_of
from tests.accounts.identity.mailbox import path_to
from tests.factories import accounts, credentials, organizations
from tests.factories.sign_in import enrolled, sign_in, with_recovery_codes
from tests.support.addresses import address_of, arguments_of, routes
from tests.support.visitors import Visitor

pytestmark = pytest.mark.django_db

Role = Membership.Role
METHODS = ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
SECRETS = {"token"}
"""Arguments that nobody but the reader of a mail has; the cases of mailed links try those."""


# --- Foreign ids ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Globex:
    """An organization with everything that an attacker of another could name."""

    owner: Membership
    rows: tuple[Model, ...]

    def ids(self, argument: str) -> set[str]:
        """What ``argument`` of an address could hold to name one thing of each kind."""
        one_of_each = {type(row): row for row in self.rows if hasattr(row, argument)}
        return {str(getattr(row, argument)) for row in one_of_each.values()}

    def state(self) -> list[dict[str, Any]]:
        """All of it, as the database has it."""
        return [dict(type(row)._base_manager.filter(pk=row.pk).values().get()) for row in self.rows]


@pytest.fixture
def globex() -> Globex:
    before = {model: set(model._base_manager.values_list("pk", flat=True)) for model in _our_models()}
    owner = organizations.founder("Globex")
    everyone = organizations.everyone(owner.organization)
    for place in everyone.values():
        sign_in(Client(), place.user)
        with_recovery_codes(place.user)
    organizations.invited(owner, "invited@globex.example")
    credentials.api_key(owner, contacts=[everyone[Role.MEMBER].user])
    credentials.personal(everyone[Role.MEMBER])
    rows = [
        row
        for model in _our_models()
        for row in model._base_manager.exclude(pk__in=before[model]).order_by("pk")
    ]
    return Globex(owner, tuple(rows))


def _our_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model.__module__.startswith("accounts.")]


def _routes_with_ids() -> Iterator[Route]:
    for route in routes(under=("accounts/",)):
        if arguments_of(route) and not SECRETS & set(arguments_of(route)):
            yield route


@pytest.mark.parametrize("role", [*Role, "nowhere", "staff"])
def test_a_foreign_id_is_not_found_by_any_method_on_any_route(globex: Globex, role: str) -> None:
    """Case 43 (Sentry CVE-2023-36826, authentik GHSA-4r87-w2cx-fr3f): 404, and nothing of theirs changes."""
    client = Client(raise_request_exception=False)
    sign_in(client, _person(role))
    visitor, before = Visitor(role, client, {}), globex.state()

    answers = {
        (method, address): visitor.asks(method, address, b"reason=leaked&overlap=0&role=owner&name=x")
        for route in _routes_with_ids()
        for number, address in enumerate(_addresses(route, globex))
        for method in (METHODS if number == 0 else METHODS[:2])
    }

    # A method that an address never takes is refused before anything is looked up.
    found = {
        what: answer.status_code for what, answer in answers.items() if answer.status_code not in {404, 405}
    }
    assert len(answers) > 100
    assert found == {}
    assert globex.state() == before


def _addresses(route: Route, globex: Globex) -> Iterator[str]:
    (argument,) = arguments_of(route)
    for value in globex.ids(argument):
        yield address_of(route, {argument: value})


def _person(role: str) -> Any:
    if role == "staff":
        return accounts.staff()
    if role == "nowhere":
        return accounts.user()
    mine = organizations.founder("Acme")
    return mine.user if role == Role.OWNER else organizations.member(mine.organization, role).user


def test_every_route_with_an_id_is_tried(globex: Globex) -> None:
    """Case 43 (Sentry CVE-2023-36826): an argument that names nothing here would be tried with nothing."""
    untried = {
        route.name
        for route in _routes_with_ids()
        for argument in arguments_of(route)
        if not any(hasattr(row, argument) for row in globex.rows)
    }

    assert untried == set()


@pytest.mark.parametrize("whose", ["other", "unknown", "ended"])
def test_a_session_of_another_is_not_ended(client: Client, whose: str) -> None:
    """Case 43 (authentik GHSA-4r87-w2cx-fr3f): foreign, unknown and ended ones are alike."""
    me, elsewhere = accounts.user(), Client()
    sign_in(client, me)
    theirs, ended = sign_in(elsewhere, accounts.user()), sign_in(Client(), me)
    AccountSession.objects.filter(pk=ended.pk).update(ended_at=ended.started_at, end_reason="revoked")
    ids = {"other": theirs.public_id, "unknown": uuid4(), "ended": ended.public_id}

    response = client.post(f"{SESSIONS}{ids[whose]}/end/")

    assert response.status_code == 404
    assert elsewhere.get(SESSIONS).status_code == 200


@pytest.mark.parametrize("role", list(Role))
def test_a_customer_finds_nothing_of_the_staff_site(globex: Globex, role: str) -> None:
    """Case 43 (authentik GHSA-4r87-w2cx-fr3f): not by the number of a row either."""
    client = Client(raise_request_exception=False)
    sign_in(client, _person(role))
    addresses = [
        f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/{page}/"
        for row in globex.rows
        for page in ("change", "delete", "history")
    ]

    answers = {address: client.get(address).status_code for address in addresses}

    assert set(answers.values()) == {404}


# --- Stray grants ---------------------------------------------------------------------------------


def test_a_model_level_grant_exposes_no_tenant(client: Client, globex: Globex) -> None:
    """Case 42 (guardian GHSA-5729-mvhf-9gq4): every permission that Django knows opens no key and no page."""
    place = organizations.member(organizations.organization("Acme"))
    everything = Group.objects.create(name="everything")
    everything.permissions.set(Permission.objects.all())
    place.user.user_permissions.set(Permission.objects.all())
    place.user.groups.add(everything)
    colleagues = credentials.api_key(organizations.founder(owner=accounts.user()))
    keys = [*ApiKey.objects.filter(organization=globex.owner.organization), colleagues]
    sign_in(client, place.user)

    listed = client.get(LIST).content.decode()

    assert Permission.objects.count() > 50
    assert not any(key.key_id in listed for key in keys)
    assert {client.get(url_of(key)).status_code for key in keys} == {404}
    assert client.get("/accounts/organization/members/").status_code == 403
    assert client.get("/admin/").status_code == 404


def test_a_key_that_reuses_a_number_inherits_no_grant(client: Client) -> None:
    """Case 42 (guardian GHSA-5729-mvhf-9gq4): a grant is a row that goes with its key."""
    owner = organizations.founder("Acme")
    contact = organizations.member(owner.organization)
    sign_in(client, contact.user)
    first = credentials.api_key(owner, contacts=[contact.user])
    assert client.get(url_of(first)).status_code == 200
    number = first.pk
    first.delete()

    second = credentials.api_key(owner, name="Another")
    ApiKey.objects.filter(pk=second.pk).update(id=number)

    assert not ServiceKeyUserObjectPermission.objects.filter(content_object_id=number).exists()
    assert client.get(url_of(second)).status_code == 404
    assert second.key_id not in client.get(LIST).content.decode()


# --- Curious eyes ---------------------------------------------------------------------------------


def _spellings(secret: bytes) -> set[str]:
    return {
        secret.hex(),
        base64.b64encode(secret).decode(),
        base64.b32encode(secret).decode(),
        repr(secret)[2:-1],
    }


@dataclass(frozen=True, slots=True)
class Hidden:
    """Everything that no page may show, in every spelling in which it could stand there."""

    words: frozenset[str]

    def found_in(self, page: str) -> set[str]:
        return {word for word in self.words if word in page}


@pytest.fixture
def hidden() -> tuple[Membership, Hidden]:
    """An organization with secrets of every kind."""
    place = organizations.founder("Acme", owner=accounts.user(name="Robin Owner"))
    person, browser = place.user, Client()
    device = enrolled(person)
    sign_in(browser, person)
    codes = with_recovery_codes(person)
    service, personal = credentials.issued(place), credentials.personal(place)
    Client().post(RESET, {"email": person.email})
    token = path_to(person.email).rstrip("/").rpartition("/")[2]
    assert PasswordReset.objects.get().token_hash == tokens.digest(token)
    words = {key_of(browser), token, person.password, *codes, *(code.replace("-", "") for code in codes)}
    for issued in (service, personal):
        words |= {issued.token, issued.token[-49:], issued.token[-49:-6]}
        words |= _spellings(bytes(issued.key.hash)) | _spellings(bytes(issued.key.seal))
    words |= _spellings(device.open_seed()) | _spellings(bytes(device.sealed_seed))
    words |= _spellings(bytes(AccountSession.objects.get().key_digest)) | _spellings(tokens.digest(token))
    return place, Hidden(frozenset(words))


@pytest.mark.parametrize("role", list(Role))
def test_a_right_to_look_shows_no_secret(
    client: Client, hidden: tuple[Membership, Hidden], role: str
) -> None:
    """Case 45 (authentik GHSA-m9h4-7j9c-55x9): to nobody in the organization, not to an owner."""
    place, secrets = hidden
    person = place.user if role == Role.OWNER else organizations.member(place.organization, role).user
    key = ApiKey.objects.filter(kind="service").get()
    client.raise_request_exception = False
    sign_in(client, person)
    visitor = Visitor(role, client, {"*": {"key_id": key.key_id, "public_id": str(person.public_id)}})

    shown = {
        route.name: secrets.found_in(visitor.asks("GET", address).getvalue().decode())
        for route, address in _readable(visitor)
    }

    assert len(shown) > 20
    assert {name for name, found in shown.items() if found} == set()


def _readable(visitor: Visitor) -> Iterator[tuple[Route, str]]:
    for route in routes(under=("accounts/", "api/")):
        if set(arguments_of(route)) <= {"key_id", "public_id"}:
            yield route, address_of(route, visitor.arguments["*"])


@pytest.mark.parametrize("role", [StaffAssignment.Role.ADMINISTRATOR, StaffAssignment.Role.PLATFORM_AUDITOR])
def test_staff_who_look_are_shown_no_secret(
    client: Client, hidden: tuple[Membership, Hidden], role: str
) -> None:
    """Case 45 (authentik GHSA-m9h4-7j9c-55x9): neither in a list nor on a row's page."""
    _place, secrets = hidden
    sign_in(client, accounts.staff(role))
    pages = [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry]
    pages += [
        f"/admin/{model._meta.app_label}/{model._meta.model_name}/{row.pk}/change/"
        for model in admin.site._registry
        for row in model._base_manager.all()[:20]
    ]

    shown = {page: secrets.found_in(client.get(page).content.decode()) for page in pages}

    assert len(shown) > 2 * len(admin.site._registry)
    assert {page for page, found in shown.items() if found} == set()


def test_staff_who_look_at_factors_change_none(client: Client) -> None:
    """Case 45 (authentik GHSA-m9h4-7j9c-55x9): a page to look at has no way to add, change or delete."""
    sign_in(client, accounts.staff())
    ada = accounts.user()
    device = enrolled(ada)
    with_recovery_codes(ada, 1)

    refused = [
        client.get("/admin/mfa/totpdevice/add/"),
        client.post(f"/admin/mfa/totpdevice/{device.pk}/delete/", {"post": "yes"}),
        client.post(f"/admin/mfa/totpdevice/{device.pk}/change/", {"drift": 5}),
    ]

    assert client.get("/admin/mfa/recoverycode/").status_code == 200
    assert [page.status_code for page in refused] == [403, 403, 403]
    assert TotpDevice.objects.filter(pk=device.pk, drift=0).exists()


def test_models_of_others_are_not_shown_to_staff() -> None:
    """Case 45 (authentik GHSA-m9h4-7j9c-55x9): django-otp's own admin would show seeds."""
    third_party = {
        model for model in apps.get_models() if model.__module__.startswith(("django_otp", "otp_webauthn"))
    }

    assert not third_party & set(admin.site._registry)

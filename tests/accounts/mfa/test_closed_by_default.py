"""Crawls the whole URLconf with half a sign-in: nothing but the sign-in answers (attack case 2)."""

from __future__ import annotations

import uuid

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse

from accounts.identity.models import User
from accounts.mfa.models import Enrolment, TotpDevice
from kellexa_portal.web.gates import Gate, gate_of
from kellexa_portal.web.routes import Route, walk
from tests.factories.sign_in import enrolled, new_person, prove_password

pytestmark = pytest.mark.django_db

SAMPLES = {
    "uuid": uuid.UUID(int=7),
    "int": 7,
    "str": "sample",
    "slug": "sample",
    "path": "sample",
}


def address_of(route: Route) -> str | None:
    """An address of ``route`` with sample values for its parts."""
    try:
        return reverse(route.name, kwargs=_values(route.pattern))
    except NoReverseMatch:
        return None


def _values(pattern: str) -> dict[str, object]:
    values: dict[str, object] = {}
    for part in pattern.split("<")[1:]:
        kind, _, name = part.partition(">")[0].rpartition(":")
        values[name] = SAMPLES.get(kind, "sample")
    return values


def closed_routes() -> list[tuple[Route, str]]:
    """Every route that is meant for signed-in people, the admin's included, with an address."""
    found = []
    for route in walk(get_resolver()):
        if gate_of(route.view) in {Gate.PUBLIC, Gate.MACHINE} or route.name == "admin:login":
            continue
        address = address_of(route)
        if address is not None:
            found.append((route, address))
    return found


@pytest.mark.parametrize("is_staff", [False, True])
@pytest.mark.parametrize("has_factor", [False, True])
def test_a_right_password_alone_opens_no_closed_page(*, is_staff: bool, has_factor: bool) -> None:
    person = new_person(is_staff=is_staff)
    if has_factor:
        enrolled(person)
    client = Client(raise_request_exception=False)
    prove_password(client, person)
    client.get("/accounts/login/verify/")

    answers = {
        (route.name, method): client.generic(method, address)
        for route, address in closed_routes()
        for method in ("GET", "POST")
    }

    assert len(answers) > 30
    opened = {
        which: (answer.status_code, answer.get("Location", ""))
        for which, answer in answers.items()
        if answer.status_code not in {302, 303, 404}
    }
    assert opened == {}
    assert "_auth_user_id" not in client.session
    assert TotpDevice.objects.count() == int(has_factor)
    assert Enrolment.objects.count() == 0


def test_every_redirect_of_a_closed_page_leads_to_the_sign_in() -> None:
    person = new_person()
    enrolled(person)
    client = Client(raise_request_exception=False)
    prove_password(client, person)

    ends = {
        client.get(address, follow=True).request["PATH_INFO"]
        for _, address in closed_routes()
        if client.get(address).status_code != 404
    }

    assert ends <= {"/accounts/login/", "/accounts/logout/"}


def test_no_model_of_django_otp_is_in_the_admin() -> None:
    third_party = {
        model for model in apps.get_models() if model.__module__.startswith(("django_otp", "otp_webauthn"))
    }

    assert not third_party & set(admin.site._registry)


def test_the_admin_shows_factors_without_secrets_and_changes_none(client: Client) -> None:
    from accounts.identity.models import StaffAssignment
    from tests.factories.sign_in import sign_in, with_recovery_codes

    administrator = new_person("sam@kellexa.example", is_staff=True)
    StaffAssignment.objects.create(user=administrator, role=StaffAssignment.Role.ADMINISTRATOR)
    sign_in(client, administrator)
    ada: User = new_person()
    device = enrolled(ada)
    with_recovery_codes(ada, 1)

    pages = [
        client.get("/admin/mfa/totpdevice/"),
        client.get(f"/admin/mfa/totpdevice/{device.pk}/change/"),
        client.get("/admin/mfa/recoverycode/"),
    ]
    refused = [
        client.get("/admin/mfa/totpdevice/add/"),
        client.post(f"/admin/mfa/totpdevice/{device.pk}/delete/", {"post": "yes"}),
        client.post(f"/admin/mfa/totpdevice/{device.pk}/change/", {"drift": 5}),
    ]

    assert [page.status_code for page in pages] == [200, 200, 200]
    for page in pages:
        text = page.content.decode()
        assert "sealed_seed" not in text
        assert "digest" not in text
    assert [page.status_code for page in refused] == [403, 403, 403]
    assert TotpDevice.objects.filter(pk=device.pk, drift=0).exists()

"""Staff and the machine's own command."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.credentials import tokens
from accounts.credentials.actions import revoke_key
from accounts.credentials.models import ApiKey
from accounts.identity.access import NotPermittedError
from accounts.organizations.models import Organization
from kellexa_portal.core.actor import Actor
from tests.factories import accounts, credentials, organizations, sign_in

pytestmark = pytest.mark.django_db

ADMIN = "/admin/credentials/apikey/"


@pytest.fixture
def staff(client: Client) -> None:
    sign_in.sign_in(client, accounts.staff())


def test_staff_see_keys_and_no_hashes(client: Client, staff: None) -> None:
    key = credentials.api_key(name="Deploy bot")

    listed = client.get(ADMIN).content.decode()
    shown = client.get(f"{ADMIN}{key.pk}/change/").content.decode()

    assert "Deploy bot" in listed
    assert key.key_id in shown
    for secret in (bytes(key.hash), bytes(key.seal)):
        assert secret.hex() not in shown
        assert str(secret) not in shown


def test_staff_revoke_with_a_reason(client: Client, staff: None) -> None:
    key = credentials.api_key()
    chosen = {"action": "revoke", "_selected_action": [key.pk]}

    asked = client.post(ADMIN, chosen)
    untouched = ApiKey.objects.get().revoked_at
    answer = client.post(ADMIN, chosen | {"reason": "leaked"})

    assert asked.status_code == 200
    assert untouched is None
    assert answer.status_code == 302
    assert ApiKey.objects.get().revoke_reason == "leaked"


@pytest.mark.parametrize("path", ["add/", "{pk}/delete/"])
def test_staff_neither_add_nor_delete(client: Client, staff: None, path: str) -> None:
    key = credentials.api_key()

    assert client.post(ADMIN + path.format(pk=key.pk), {"post": "yes"}).status_code == 403
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("role", ["triager", "platform_auditor"])
def test_staff_without_the_right_revoke_nothing(client: Client, db: None, role: str) -> None:
    key = credentials.api_key()
    sign_in.sign_in(client, accounts.staff(role))

    answer = client.post(ADMIN, {"action": "revoke", "_selected_action": [key.pk], "reason": "leaked"})

    assert answer.status_code in {200, 302, 403}
    assert ApiKey.objects.get().revoked_at is None


def test_the_action_itself_refuses_staff_without_the_right(db: None) -> None:
    key = credentials.api_key()

    with pytest.raises(NotPermittedError):
        revoke_key(actor=Actor.of(accounts.staff("platform_auditor")), key=key, reason="leaked")

    assert ApiKey.objects.get().revoked_at is None


def test_the_command_prints_the_gateways_token_and_nothing_else() -> None:
    person = accounts.user()
    out = StringIO()

    call_command("create_gateway_key", person.email, stdout=out, stderr=StringIO())
    call_command("create_gateway_key", person.email, stdout=StringIO(), stderr=StringIO())

    parsed = tokens.parse(out.getvalue().strip())
    assert parsed is not None
    key = ApiKey.objects.get(key_id=parsed.key_id)
    assert key.scopes == ["keys:verify"]
    assert Organization.objects.filter(kind="platform").count() == 1


@pytest.mark.parametrize("who", ["nobody", "staff"])
def test_the_command_refuses_strangers_and_staff(who: str) -> None:
    email = accounts.staff().email if who == "staff" else "nobody@example.com"

    with pytest.raises(CommandError):
        call_command("create_gateway_key", email, stdout=StringIO(), stderr=StringIO())

    assert not ApiKey.objects.exists()


def test_a_role_in_ones_own_organization_does_not_lead_into_the_platform() -> None:
    from accounts.organizations.access import Forbidden
    from accounts.organizations.actions import join_platform
    from kellexa_portal.core.actor import Actor

    place = organizations.founder()

    with pytest.raises(Forbidden):
        join_platform(actor=Actor.of(place.user), user=place.user)

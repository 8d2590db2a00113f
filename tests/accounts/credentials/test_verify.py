"""``POST keys/verify``: what gateways rely on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.credentials import actions, tokens
from accounts.credentials.actions import IssuedKey
from accounts.credentials.models import ApiKey
from accounts.organizations.models import Membership
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from tests.accounts.credentials.conftest import INACTIVE, VERIFY, Ask
from tests.factories import credentials, organizations
from tests.factories.audit_support import recorded

pytestmark = pytest.mark.django_db


def _revoke(issued: IssuedKey) -> None:
    actions.revoke_key(actor=Actor.system("tests"), key=issued.key, reason="other")


def test_a_good_token_is_described_in_full(ask: Ask) -> None:
    issued = credentials.issued(scope_names=["workflows:run", "keys:read"])

    answer = ask(issued.token)

    key = issued.key
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert answer.json() == {
        "active": True,
        "key_id": key.key_id,
        "kind": "service",
        "environment": "live",
        "organization": str(key.organization.public_id),
        "owner": str(key.owner.public_id),
        "scope": "keys:read workflows:run",
        "exp": int(key.expires_at.timestamp()),
        "iat": int(key.created_at.timestamp()),
        "cache_ttl": 0,
    }


def test_a_form_asks_as_well_as_json(client: Client, gateway: IssuedKey) -> None:
    issued = credentials.issued()

    answer = client.post(
        VERIFY,
        {"token": issued.token, "scope": "workflows:run"},
        headers={"Authorization": f"Bearer {gateway.token}"},
    )

    assert answer.json()["active"] is True


def test_every_no_is_byte_for_byte_the_same(ask: Ask) -> None:
    revoked, expired, bound, plain = (credentials.issued(name=f"Key {number}") for number in range(4))
    _revoke(revoked)
    credentials.expired(expired.key)
    bound.key.allowed_networks = ["192.0.2.0/24"]
    credentials.resealed(bound.key)
    unknown = tokens.new_token(kind="service", environment="live", key_id=tokens.new_id())
    forged = tokens.new_token(kind="service", environment="live", key_id=plain.key.key_id)

    answers = [
        ask(revoked.token),
        ask(expired.token),
        ask(bound.token, ip="198.51.100.1"),
        ask(plain.token, scope="audit:read"),
        ask(unknown),
        ask(forged),
        ask(plain.token[:-1] + "!"),
        ask("nonsense"),
        ask(""),
    ]

    assert {answer.content for answer in answers} == {INACTIVE}
    assert {answer.status_code for answer in answers} == {200}
    assert len({tuple(sorted(set(answer.headers) - {"X-Request-Id"})) for answer in answers}) == 1


def test_a_revoked_key_is_refused_by_the_very_next_question(ask: Ask) -> None:
    issued = credentials.issued()
    before = ask(issued.token).json()

    _revoke(issued)

    assert before["active"] is True
    assert ask(issued.token).content == INACTIVE


def test_a_key_ends_at_its_very_instant_whether_or_not_the_sweep_ran(ask: Ask) -> None:
    issued = credentials.issued()
    issued.key.expires_at = timezone.now() + timedelta(milliseconds=1)
    credentials.resealed(issued.key)
    while timezone.now() < issued.key.expires_at:
        pass

    assert ask(issued.token).content == INACTIVE


@pytest.mark.parametrize(
    ("ip", "is_active"),
    [
        ("192.0.2.200", True),
        ("::ffff:192.0.2.200", True),
        ("192.0.3.1", False),
        ("2001:db8::7", True),
        ("2001:db9::7", False),
        ("", False),
    ],
)
def test_a_bound_key_works_from_its_networks_only(ask: Ask, ip: str, is_active: bool) -> None:
    issued = credentials.issued(allowed_networks=["192.0.2.0/24", "2001:db8::/32"])

    assert ask(issued.token, ip=ip).json()["active"] is is_active


@pytest.mark.parametrize(
    ("scope", "is_active"),
    [
        ("workflows:run", True),
        ("workflows:run keys:read", True),
        ("", True),
        ("workflows:run audit:read", False),
        ("workflows", False),
        ("workflows:run\x00", False),
        ("WORKFLOWS:RUN", False),
    ],
)
def test_all_asked_scopes_must_be_there(ask: Ask, scope: str, is_active: bool) -> None:
    issued = credentials.issued(scope_names=["workflows:run", "keys:read"])

    assert ask(issued.token, scope=scope).json()["active"] is is_active


# --- The owner -----------------------------------------------------------------------------------


def test_a_personal_key_is_cut_to_what_its_owner_may_today(ask: Ask) -> None:
    place = organizations.member(organizations.organization(), Membership.Role.SECURITY)
    issued = credentials.personal(place, scope_names=["audit:read", "workflows:run"])

    Membership.objects.filter(pk=place.pk).update(role=Membership.Role.MEMBER)

    assert ask(issued.token).json()["scope"] == "workflows:run"
    assert ask(issued.token, scope="audit:read").content == INACTIVE


@pytest.mark.parametrize("end", ["membership", "account", "staff"])
def test_a_personal_key_dies_with_its_owners_place(ask: Ask, end: str) -> None:
    place = organizations.member(organizations.organization())
    issued = credentials.personal(place)
    assert ask(issued.token).json()["active"] is True

    if end == "membership":
        place.delete()
    else:
        setattr(place.user, "is_active" if end == "account" else "is_staff", end == "staff")
        place.user.save()

    assert ask(issued.token).content == INACTIVE


def test_a_service_key_outlives_the_person_who_made_it(ask: Ask) -> None:
    place = organizations.founder()
    issued = credentials.issued(place)

    place.delete()

    assert ask(issued.token).json()["active"] is True


# --- Someone who can write SQL -------------------------------------------------------------------


def _tampering(other: ApiKey) -> dict[str, dict[str, Any]]:
    return {
        "scopes": {"scopes": ["keys:read", "workflows:run"]},
        "networks": {"allowed_networks": []},
        "expiry": {"expires_at": timezone.now() + timedelta(days=300)},
        "organization": {"organization_id": other.organization_id},
        "owner": {"owner_id": other.owner_id},
        "kind": {"kind": "personal"},
        "environment": {"environment": "test"},
        "seal of another row": {"seal": bytes(other.seal)},
        "seal of nothing": {"seal": b""},
    }


@pytest.mark.parametrize("what", list(_tampering(ApiKey(organization_id=0, owner_id=0, seal=b""))))
def test_a_row_that_was_altered_behind_the_portals_back_is_refused_and_reported(ask: Ask, what: str) -> None:
    issued = credentials.issued(allowed_networks=["192.0.2.0/24"])
    other = credentials.api_key()
    ApiKey.objects.filter(pk=issued.key.pk).update(**_tampering(other)[what])

    answer = ask(issued.token, ip="192.0.2.1")

    assert answer.content == INACTIVE
    assert "key.tamper.detect" in recorded(Stream.system())


def test_a_revocation_that_was_undone_in_the_database_is_refused(ask: Ask) -> None:
    issued = credentials.issued()
    _revoke(issued)
    ApiKey.objects.filter(pk=issued.key.pk).update(revoked_at=None, revoked_by=None, revoke_reason="")

    assert ask(issued.token).content == INACTIVE


def test_a_hash_moved_to_another_row_opens_nothing(ask: Ask) -> None:
    mine, theirs = credentials.issued(), credentials.issued()
    ApiKey.objects.filter(pk=theirs.key.pk).update(hash=bytes(mine.key.hash), seal=bytes(mine.key.seal))

    assert ask(theirs.token).content == INACTIVE

"""``POST keys/verify``: what gateways rely on, and what nobody may learn from it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.credentials import actions, bearer, tokens
from accounts.credentials.actions import IssuedKey
from accounts.credentials.models import ApiKey
from accounts.organizations.models import Membership
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from kellexa_portal.ratelimit import Limit
from tests.accounts.credentials.conftest import VERIFY, Ask
from tests.factories import credentials, organizations
from tests.factories.audit_support import recorded

pytestmark = pytest.mark.django_db

INACTIVE = b'{"active": false}'


def _events(key: ApiKey) -> list[str]:
    return recorded(Stream.organization(key.organization.public_id))


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


# --- The owner ----------------------------------------------------------------------------------


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


# --- Someone who can write SQL ------------------------------------------------------------------


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


# --- Evidence of refusals -----------------------------------------------------------------------


def test_the_owners_log_tells_why_a_genuine_token_was_refused_once(ask: Ask) -> None:
    issued = credentials.issued(allowed_networks=["192.0.2.0/24"])

    for _ in range(3):
        ask(issued.token, ip="198.51.100.1")
    ask(issued.token, ip="192.0.2.1", scope="audit:read")

    assert _events(issued.key).count("key.verify.deny") == 2


def test_knowing_an_id_writes_nothing(ask: Ask) -> None:
    issued = credentials.issued()
    before = _events(issued.key)

    ask(tokens.new_token(kind="service", environment="live", key_id=issued.key.key_id))

    assert _events(issued.key) == before


# --- Last use -----------------------------------------------------------------------------------


def test_the_last_use_is_remembered_with_the_network_and_not_the_address(ask: Ask) -> None:
    issued = credentials.issued()

    ask(issued.token, ip="192.0.2.77")

    key = ApiKey.objects.get(pk=issued.key.pk)
    assert key.last_used_at is not None
    assert timezone.now() - key.last_used_at < timedelta(minutes=1)
    assert key.last_used_ip_prefix == "192.0.2.0/24"


def test_the_last_use_is_written_at_most_once_a_minute(ask: Ask) -> None:
    issued = credentials.issued()
    ask(issued.token)
    first = ApiKey.objects.get(pk=issued.key.pk).last_used_at

    ask(issued.token)
    second = ApiKey.objects.get(pk=issued.key.pk).last_used_at
    ApiKey.objects.filter(pk=issued.key.pk).update(last_used_at=timezone.now() - timedelta(seconds=61))
    ask(issued.token)

    assert first == second
    third = ApiKey.objects.get(pk=issued.key.pk).last_used_at
    assert third is not None
    assert timezone.now() - third < timedelta(seconds=30)


def test_a_refused_use_is_no_use(ask: Ask) -> None:
    issued = credentials.issued()

    ask(issued.token, scope="audit:read")

    assert ApiKey.objects.get(pk=issued.key.pk).last_used_at is None


# --- Costs --------------------------------------------------------------------------------------


def test_a_question_about_keys_in_use_costs_one_query(ask: Ask) -> None:
    issued = credentials.issued()
    ask(issued.token)

    with CaptureQueriesContext(connection) as queries:
        answer = ask(issued.token)

    assert answer.json()["active"] is True
    assert len(queries) == 1


def test_a_wrong_checksum_never_reaches_the_database(client: Client, ask: Ask) -> None:
    issued = credentials.issued()
    ask(issued.token)
    broken = issued.token[:-1] + ("0" if issued.token[-1] != "0" else "1")

    with CaptureQueriesContext(connection) as queries:
        answer = ask(broken)
        client.post(
            VERIFY,
            {"token": "x"},
            headers={"Authorization": f"Bearer {broken}"},
            content_type="application/json",
        )

    assert answer.content == INACTIVE
    assert len(queries) == 1
    assert issued.key.key_id not in queries[0]["sql"]


# --- The caller ---------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic dXNlcjpwYXNz", "Bearer " + "x" * 73])
def test_without_a_good_key_the_answer_is_401_whatever_was_asked(
    client: Client, db: None, header: str
) -> None:
    headers = {"Authorization": header} if header else {}
    for body in ({"token": "x"}, "not json"):
        answer = client.post(VERIFY, body, content_type="application/json", headers=headers)

        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/problem+json"
        assert answer["WWW-Authenticate"].startswith('Bearer realm="kellexa"')
        assert answer.json()["code"] == "invalid_key"


def test_a_revoked_gateway_is_refused_at_once(ask: Ask, gateway: IssuedKey) -> None:
    issued = credentials.issued()
    _revoke(gateway)

    assert ask(issued.token).status_code == 401


def test_a_customers_key_may_not_verify(client: Client, gateway: IssuedKey) -> None:
    issued = credentials.issued()

    answer = client.post(
        VERIFY,
        {"token": gateway.token},
        content_type="application/json",
        headers={"Authorization": f"Bearer {issued.token}"},
    )

    assert answer.status_code == 403
    assert answer.json()["code"] == "insufficient_scope"
    assert 'scope="keys:verify"' in answer["WWW-Authenticate"]


def test_a_spent_budget_answers_429_and_when_to_come_back(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    issued = credentials.issued()
    monkeypatch.setattr(bearer, "VERIFY_LIMIT", Limit("api-verify-small", 2, timedelta(minutes=1)))

    answers = [ask(issued.token) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert 1 <= int(answers[2]["Retry-After"]) <= 60
    assert answers[2].json()["code"] == "rate_limited"


# --- Questions that make no sense ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b" ", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 10_000, 400),
        (b"[]", 422),
        (b"null", 422),
        (b"{}", 422),
        (b'{"token": 7}', 422),
        (b'{"token": null}', 422),
        (b'{"token": ["x"]}', 422),
        (b'{"token": "x", "scope": ["a"]}', 422),
        (b'{"token": "x", "ip": 7}', 422),
        (b'{"token": "x", "ip": "somewhere"}', 422),
        (b'{"token": "x", "scope": "' + b"s" * 2000 + b'"}', 422),
        (b'{"token": "' + b"x" * 20_000 + b'"}', 413),
        (b'{"token": "\\ud800\\u0000"}', 200),
        (b'{"token": "x", "more": 1}', 200),
    ],
)
def test_a_malformed_question_gets_a_problem_and_never_an_error(
    client: Client, gateway: IssuedKey, body: bytes, status: int
) -> None:
    answer = client.generic(
        "POST",
        VERIFY,
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {gateway.token}"},
    )

    assert answer.status_code == status
    if status != 200:
        assert answer["Content-Type"] == "application/problem+json"
        assert json.loads(answer.content)["code"]


@pytest.mark.parametrize("size", [20_000, 1_000_000])
def test_a_form_has_the_same_bound_as_json(client: Client, gateway: IssuedKey, size: int) -> None:
    answer = client.generic(
        "POST",
        VERIFY,
        b"token=" + b"x" * size,
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": f"Bearer {gateway.token}"},
    )

    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


def test_another_kind_of_body_is_415(client: Client, gateway: IssuedKey) -> None:
    answer = client.post(
        VERIFY, "token=x", content_type="text/plain", headers={"Authorization": f"Bearer {gateway.token}"}
    )

    assert answer.status_code == 415


def test_a_token_in_the_address_is_not_read(client: Client, gateway: IssuedKey) -> None:
    answer = client.post(
        f"{VERIFY}?token={credentials.issued().token}",
        {},
        content_type="application/json",
        headers={"Authorization": f"Bearer {gateway.token}"},
    )

    assert answer.status_code == 422


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_a_wrong_method_is_a_405_problem(client: Client, db: None, method: str) -> None:
    answer = getattr(client, method)(VERIFY)

    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert answer["Content-Type"] == "application/problem+json"


def test_no_answer_holds_a_secret(ask: Ask) -> None:
    issued = credentials.issued()

    answer = ask(issued.token)

    assert not re.search(tokens.PUBLISHED_REGEX, answer.content.decode())
    assert issued.token[24:67] not in str(answer.headers)

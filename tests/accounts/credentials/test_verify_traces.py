"""``POST keys/verify``: what a question leaves behind, and what it costs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.credentials import tokens
from accounts.credentials.models import ApiKey
from kellexa_portal.audit import Stream
from kellexa_portal.audit.models import Event
from tests.accounts.credentials.conftest import INACTIVE, VERIFY, Ask
from tests.factories import credentials
from tests.factories.audit_support import recorded

pytestmark = pytest.mark.django_db


def _events(key: ApiKey) -> list[str]:
    return recorded(Stream.organization(key.organization.public_id))


def test_the_owners_log_tells_why_a_genuine_token_was_refused_once(ask: Ask) -> None:
    issued = credentials.issued(allowed_networks=["192.0.2.0/24"])

    for _ in range(3):
        ask(issued.token, ip="198.51.100.1")
    ask(issued.token, ip="192.0.2.1", scope="audit:read")

    assert _events(issued.key).count("key.verify.deny") == 2


def test_the_owners_log_tells_from_where_a_refused_token_came(ask: Ask) -> None:
    issued = credentials.issued(allowed_networks=["192.0.2.0/24"])

    ask(issued.token, ip="198.51.100.1")

    denied = Event.objects.get(name="key.verify.deny")
    assert denied.changes["asked_ip"] == "198.51.100.1"


def test_knowing_an_id_writes_nothing(ask: Ask) -> None:
    issued = credentials.issued()
    before = _events(issued.key)

    ask(tokens.new_token(kind="service", environment="live", key_id=issued.key.key_id))

    assert _events(issued.key) == before


# --- Last use ------------------------------------------------------------------------------------


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


# --- Costs ---------------------------------------------------------------------------------------


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

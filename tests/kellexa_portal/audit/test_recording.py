"""An event stands or falls with its change, unless it is evidence of a refusal."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from kellexa_portal.audit import (
    NotInTransactionError,
    Outcome,
    Stream,
    Target,
    record,
    record_independently,
)
from kellexa_portal.audit.leaves import Personal
from kellexa_portal.audit.models import Event
from kellexa_portal.audit.queries import events_of
from kellexa_portal.core import context
from kellexa_portal.core.actor import Actor, ActorType
from kellexa_portal.core.context import Authentication, RequestContext
from kellexa_portal.core.pagination import page
from tests.factories.audit_support import recorded

from .events import SampleEvent
from .writers import insert_copy

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("test")


def test_event_holds_who_what_when_and_how(stream: Stream) -> None:
    signed_in_at = timezone.now()
    request = RequestContext(
        request_id="request-1",
        session_id="session-1",
        ip="198.51.100.7",
        user_agent="Browser/1.0",
        authentication=Authentication(level=2, methods=("password", "totp"), at=signed_in_at),
    )
    person = Actor(ActorType.PERSON, str(uuid4()), "Ann")

    with context.bound(request), transaction.atomic():
        record(
            SampleEvent.DONE,
            actor=person,
            stream=stream,
            target=Target("thing", "7"),
            reason="because",
            changes={"name": {"from": "a", "to": "b"}},
            on_behalf_of=SYSTEM,
        )

    event = events_of(stream).get()
    assert (event.name, event.outcome, event.reason) == ("sample.thing.done", Outcome.SUCCESS, "because")
    assert event.sentence == "A thing was done."
    assert (event.actor_type, event.actor_id, event.actor_label) == ("person", person.id, "Ann")
    assert event.on_behalf_of == "system:test"
    assert (event.session_id, event.request_id) == ("session-1", "request-1")
    assert (event.auth_level, event.auth_methods, event.auth_at) == (2, ["password", "totp"], signed_in_at)
    assert (event.ip, event.ip_prefix, event.user_agent) == ("198.51.100.7", "198.51.100.0/24", "Browser/1.0")
    assert (event.target_type, event.target_id) == ("thing", "7")
    assert event.changes == {"name": {"from": "a", "to": "b"}}
    assert event.public_id.version == 7
    assert event.leaf is None


def test_personal_values_stand_beside_the_event_under_its_commitment(stream: Stream) -> None:
    with context.bound(RequestContext(ip="2001:db8:1:2::3", user_agent="Browser")):
        record(SampleEvent.DONE, actor=Actor.anonymous(), stream=stream)

    event = events_of(stream).get()
    beside = event.personal
    shown = Personal(ip=event.ip, ip_prefix=event.ip_prefix, user_agent=event.user_agent)
    assert event.ip_prefix == "2001:db8:1::/48"
    assert bytes(event.personal_commitment) == shown.commitment(bytes(beside.salt))
    assert len(bytes(beside.salt)) == 32


def test_event_of_the_system_has_no_personal_part(stream: Stream) -> None:
    record(SampleEvent.DONE, actor=SYSTEM, stream=stream)

    event = events_of(stream).get()
    assert event.personal_commitment is None
    assert (event.ip, event.user_agent, event.actor_label) == ("", "", "test")


@pytest.mark.django_db(transaction=True)
def test_event_outside_a_transaction_is_refused(stream: Stream) -> None:
    with pytest.raises(NotInTransactionError):
        record(SampleEvent.DONE, actor=SYSTEM, stream=stream)


def test_event_is_undone_with_its_change(stream: Stream) -> None:
    with transaction.atomic():
        record(SampleEvent.DONE, actor=SYSTEM, stream=stream)
        transaction.set_rollback(True)

    assert recorded(stream) == []


def test_independent_event_survives_the_rollback_of_a_plain_test(stream: Stream) -> None:
    with transaction.atomic():
        record_independently(SampleEvent.REFUSED, actor=SYSTEM, stream=stream, outcome=Outcome.DENIED)
        transaction.set_rollback(True)

    assert recorded(stream) == ["sample.thing.refuse"]


@pytest.mark.django_db(transaction=True)
def test_independent_event_survives_the_rollback_of_a_real_transaction(stream: Stream) -> None:
    with transaction.atomic():
        record(SampleEvent.DONE, actor=SYSTEM, stream=stream)
        record_independently(SampleEvent.REFUSED, actor=SYSTEM, stream=stream, outcome=Outcome.DENIED)
        transaction.set_rollback(True)

    assert recorded(stream) == ["sample.thing.refuse"]


def test_secrets_are_redacted_by_name_and_by_shape(stream: Stream) -> None:
    token = "klxp_live_" + "A" * 63
    changes = {
        "password": "hunter2 hunter2",
        "note": f"my key is {token}",
        "deep": [{"secret": "s3"}],
        token: 1,
    }

    record(SampleEvent.DONE, actor=SYSTEM, stream=stream, reason=token, changes=changes)

    event = events_of(stream).get()
    assert token not in str(event.changes) + event.reason
    assert "hunter2" not in str(event.changes)
    assert "s3" not in str(event.changes)


def test_secret_in_the_user_agent_is_redacted(stream: Stream) -> None:
    token = "klxs_test_" + "B" * 63

    with context.bound(RequestContext(user_agent=f"curl {token}")):
        record(SampleEvent.DONE, actor=SYSTEM, stream=stream)

    assert token not in events_of(stream).get().user_agent


@pytest.mark.parametrize(
    "hostile", ["a\x00b", "\ud800", "x" * 100_000, "\u202e", "'; DROP TABLE audit_event; --"]
)
def test_hostile_text_leaves_evidence_all_the_same(stream: Stream, hostile: str) -> None:
    with context.bound(
        RequestContext(ip=hostile, user_agent=hostile, session_id=hostile, request_id=hostile)
    ):
        record_independently(
            SampleEvent.REFUSED,
            actor=Actor(ActorType.ANONYMOUS, hostile, hostile),
            stream=stream,
            target=Target("thing", hostile),
            outcome=Outcome.FAILURE,
            reason=hostile,
            changes={hostile: hostile},
        )

    event = events_of(stream).get()
    assert event.ip == ""
    assert len(event.user_agent) <= 512


def test_values_that_json_lacks_become_text(stream: Stream) -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    owner = UUID(int=7)

    record(
        SampleEvent.DONE,
        actor=SYSTEM,
        stream=stream,
        changes={
            "at": moment,
            "day": moment.date(),
            "amount": Decimal("1.50"),
            "share": 0.1,
            "many": 10**30,
            "owner": owner,
            "scopes": {"b", "a"},
            "outcome": Outcome.DENIED,
            "raw": b"bytes",
            "flag": True,
            "none": None,
        },
    )

    assert events_of(stream).get().changes == {
        "at": "2026-01-02T00:00:00.000000Z",
        "day": "2026-01-02",
        "amount": "1.50",
        "share": "0.1",
        "many": "1" + "0" * 30,
        "owner": str(owner),
        "scopes": ["a", "b"],
        "outcome": "denied",
        "raw": "[redacted]",
        "flag": True,
        "none": None,
    }


def test_address_with_a_zone_is_kept_without_it(stream: Stream) -> None:
    with context.bound(RequestContext(ip="fe80::1%eth0")):
        record(SampleEvent.DONE, actor=SYSTEM, stream=stream)

    assert events_of(stream).get().ip == "fe80::1"


def test_recording_takes_one_round_trip(stream: Stream, django_assert_num_queries: object) -> None:
    with context.bound(RequestContext(ip="192.0.2.1")), django_assert_num_queries(1):
        record(SampleEvent.DONE, actor=SYSTEM, stream=stream)


def test_log_of_one_owner_shows_nothing_of_another(stream: Stream) -> None:
    record(SampleEvent.DONE, actor=SYSTEM, stream=Stream.organization(uuid4()))
    record(SampleEvent.DONE, actor=SYSTEM, stream=Stream.user(stream.id))
    record(SampleEvent.DONE, actor=SYSTEM, stream=Stream.staff())

    assert recorded(stream) == []


@pytest.mark.parametrize("size", [3, 30])
def test_page_of_the_log_takes_one_query_at_any_size(
    stream: Stream, size: int, django_assert_num_queries: object
) -> None:
    with context.bound(RequestContext(ip="192.0.2.1")):
        for _ in range(size):
            record(SampleEvent.DONE, actor=SYSTEM, stream=stream)

    with django_assert_num_queries(1):
        shown = [(event.ip, event.actor_label, event.leaf) for event in page(events_of(stream)).items]

    assert len(shown) == size


def test_event_is_stamped_with_the_outermost_transaction(stream: Stream) -> None:
    with transaction.atomic(), transaction.atomic():
        record(SampleEvent.DONE, actor=SYSTEM, stream=stream)

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        assert events_of(stream).get().txid == cursor.fetchone()[0]


def test_log_without_an_owner_is_refused_by_the_database() -> None:
    with pytest.raises(IntegrityError, match="audit_event_stream_owner"), transaction.atomic():
        record(SampleEvent.DONE, actor=SYSTEM, stream=Stream.organization(UUID(int=0)))


def test_event_retired_since_shows_its_bare_name() -> None:
    assert Event(name="long.gone.thing").sentence == "long.gone.thing"


@pytest.mark.parametrize("changes", ["[]", '"text"', "null", '{"a":' * 40 + "1" + "}" * 40])
def test_changes_that_would_stop_a_reader_are_refused_by_the_database(stream: Stream, changes: str) -> None:
    """Attack: an injection that may insert adds one row that breaks everybody's log page and sealer."""
    record(SampleEvent.DONE, actor=SYSTEM, stream=stream)

    with pytest.raises(IntegrityError, match="audit_event_changes"), transaction.atomic():
        insert_copy(changes=changes)

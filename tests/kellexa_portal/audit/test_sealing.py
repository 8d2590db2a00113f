"""The sealer numbers each stream without a gap and misses nothing, whatever happens around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from kellexa_portal.audit import Outcome, Stream, record, record_independently
from kellexa_portal.audit.models import Leaf, Sealer
from kellexa_portal.audit.queries import events_of
from kellexa_portal.audit.sealing import seal_pending
from kellexa_portal.audit.tasks import seal
from kellexa_portal.core.actor import Actor

from .events import SampleEvent
from .writers import elsewhere, hash_again, insert_copy

pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system("test")


def write(stream: Stream, *, times: int = 1) -> None:
    with transaction.atomic():
        for _ in range(times):
            record(SampleEvent.DONE, actor=SYSTEM, stream=stream)


def seal_now(**options: Any) -> int:
    return seal_pending(now=timezone.now(), **options)


def places(stream: Stream) -> list[int | None]:
    """The place of each event of ``stream``, in the order of writing."""
    return [event.leaf.index if event.leaf else None for event in events_of(stream).order_by("pk")]


def test_events_get_places_from_nought_without_a_gap(stream: Stream) -> None:
    write(stream, times=3)

    assert seal_now() == 3

    event = events_of(stream).order_by("pk")[1]
    assert bytes(event.leaf.leaf_hash) == hash_again(event.pk)


def test_each_stream_counts_for_itself(stream: Stream) -> None:
    other = Stream.staff()
    for owner in (stream, other, stream, other):
        write(owner)

    seal_now()

    assert places(stream) == places(other) == [0, 1]


def test_sealing_goes_on_where_it_ended(stream: Stream) -> None:
    write(stream, times=2)
    seal_now()
    write(stream)

    assert seal_now() == 1
    assert seal_now() == 0

    assert places(stream) == [0, 1, 2]


def test_task_seals(stream: Stream) -> None:
    write(stream)

    seal.run()

    assert places(stream) == [0]


def test_leaf_holds_the_hash_of_what_the_database_gives_back(stream: Stream) -> None:
    with transaction.atomic():
        record(
            SampleEvent.DONE,
            actor=Actor.anonymous(),
            stream=stream,
            outcome=Outcome.FAILURE,
            changes={"z": [1, None, True], "ä": {"b": "\u2028", "a": 0.5}},
        )

    seal_now()

    event = events_of(stream).get()
    assert bytes(event.leaf.leaf_hash) == hash_again(event.pk)
    assert event.changes == {"z": [1, None, True], "ä": {"b": "\u2028", "a": "0.5"}}


def test_undone_event_leaves_no_gap(stream: Stream) -> None:
    write(stream)
    with transaction.atomic():
        record(SampleEvent.DONE, actor=SYSTEM, stream=stream)
        transaction.set_rollback(True)
    write(stream)

    seal_now()

    assert places(stream) == [0, 1]


def test_backlog_is_sealed_in_batches(stream: Stream) -> None:
    for _ in range(5):
        write(stream, times=2)

    assert seal_now(batch=3) == 10

    assert places(stream) == list(range(10))


def test_long_transaction_delays_nobody_and_is_not_missed(stream: Stream) -> None:
    with elsewhere() as long:
        long.begin()
        long.record(SampleEvent.DONE, stream)
        write(stream, times=2)
        assert seal_now() == 2
        write(stream)
        assert seal_now() == 1
        long.commit()

    assert seal_now() == 1

    assert places(stream) == [3, 0, 1, 2]


def test_long_transaction_that_is_undone_leaves_no_gap(stream: Stream) -> None:
    with elsewhere() as long:
        long.begin()
        long.record(SampleEvent.DONE, stream)
        write(stream)
        seal_now()
        long.roll_back()
    write(stream)

    seal_now()

    assert places(stream) == [0, 1]


def test_independent_event_inside_a_long_transaction_is_sealed_before_it_ends(stream: Stream) -> None:
    with transaction.atomic(), elsewhere() as sealer:
        record(SampleEvent.DONE, actor=SYSTEM, stream=stream)
        record_independently(SampleEvent.REFUSED, actor=SYSTEM, stream=stream)
        assert sealer.run(seal_now) == 1

    assert seal_now() == 1
    assert places(stream) == [1, 0]


def test_two_open_transactions_write_to_one_stream_without_waiting(stream: Stream) -> None:
    """The proof that no lock is taken: either writer would fail at once instead of waiting."""
    with elsewhere() as first, elsewhere() as second:
        for writer in (first, second):
            writer.begin(lock_timeout="1ms")
        for _ in range(3):
            first.record(SampleEvent.DONE, stream)
            second.record(SampleEvent.DONE, stream)
        second.commit()
        first.commit()

    assert seal_now() == 6
    assert sorted(places(stream)) == list(range(6))


def test_sealer_waits_for_no_writer_and_no_writer_for_it(stream: Stream) -> None:
    with elsewhere() as writer, elsewhere() as sealer:
        writer.begin(lock_timeout="1ms")
        writer.record(SampleEvent.DONE, stream)
        sealer.begin(lock_timeout="1ms")
        assert sealer.run(seal_now) == 0
        writer.record(SampleEvent.DONE, stream)
        writer.commit()
        sealer.commit()

    assert seal_now() == 2


def test_second_sealer_leaves_the_work_to_the_first(stream: Stream) -> None:
    write(stream)
    with elsewhere() as first:
        first.begin()
        assert first.run(seal_now) == 1
        assert seal_now() == 0
        first.commit()

    assert places(stream) == [0]


class KilledError(Exception):
    """Stands for a process that ends between two lines."""


@contextmanager
def killed_at(statement: int) -> Iterator[None]:
    """Ends the sealer just before its statement of that number reaches the database."""
    seen = 0

    def count(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen > statement:
            raise KilledError
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        yield


@pytest.mark.parametrize("statement", range(14))
def test_sealer_killed_before_any_statement_loses_and_doubles_nothing(stream: Stream, statement: int) -> None:
    for _ in range(4):
        write(stream, times=2)

    with pytest.raises(KilledError), killed_at(statement):
        seal_now(batch=3)
    assert sorted(leaf.index for leaf in Leaf.objects.all()) == list(range(Leaf.objects.count()))
    seal_now(batch=3)

    assert places(stream) == list(range(8))


@pytest.mark.parametrize(
    "lost", [{"cluster": "another"}, {"sealed_through": 2**60}, {"cluster": "", "sealed_through": 0}]
)
def test_log_restored_into_another_cluster_is_sealed_to_the_end(stream: Stream, lost: dict[str, Any]) -> None:
    write(stream, times=2)
    seal_now()
    write(stream, times=5)
    Sealer.objects.update(**lost)

    assert seal_now(batch=2) == 5
    write(stream)
    assert seal_now() == 1

    assert places(stream) == list(range(8))


def test_transaction_ids_of_a_former_cluster_do_not_stop_the_sealer(stream: Stream) -> None:
    """An event that was restored unsealed carries an id that this cluster has not reached yet."""
    write(stream)
    seal_now()
    insert_copy(txid=str(2**60))
    Sealer.objects.update(cluster="another")

    assert seal_now() == 1
    write(stream)
    assert seal_now() == 1

    assert places(stream) == [0, 1, 2]


def test_lost_cursor_costs_no_event(stream: Stream) -> None:
    write(stream, times=2)
    seal_now()
    Sealer.objects.all().delete()
    write(stream)

    assert seal_now() == 1

    assert places(stream) == [0, 1, 2]


@pytest.mark.parametrize("changes", ['{"n": 1.10}', '{"n": 99999999999999999999999}', '{"a": 1e400}'])
def test_row_that_record_would_not_write_does_not_stop_the_sealer(stream: Stream, changes: str) -> None:
    """Attack: an injection that may insert adds one row that breaks the sealing of everybody's log."""
    write(stream)
    insert_copy(changes=changes)
    write(stream)

    assert seal_now() == 3

    event = events_of(stream).order_by("pk")[1]
    assert bytes(event.leaf.leaf_hash) == hash_again(event.pk)

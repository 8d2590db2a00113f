"""Eight writers and two sealers at once: gapless, nothing missed, and the promise of order is kept."""

from __future__ import annotations

import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from random import Random
from uuid import uuid4

import pytest
from django.db import connections, transaction
from django.utils import timezone

from kellexa_portal.audit import Stream, Target, record, record_independently
from kellexa_portal.audit.models import Event, Leaf
from kellexa_portal.audit.sealing import seal_pending
from kellexa_portal.core.actor import Actor

from .events import SampleEvent
from .writers import elsewhere, hash_again

WRITERS = 8
ROUNDS = 20


def write_rounds(number: int, streams: list[Stream]) -> int:
    """Transactions one after the other, so each begins after the former one's commit; answers its events.

    The last writer undoes all of its own, but not what it records independently.
    """
    random = Random(number)
    written = 0
    try:
        for turn in range(ROUNDS):
            with transaction.atomic():
                for _ in range(random.randint(1, 3)):
                    stream = random.choice(streams)
                    target = Target(f"writer-{number}", str(turn))
                    record(SampleEvent.DONE, actor=Actor.system("test"), stream=stream, target=target)
                    written += 1
                if number == WRITERS - 1:
                    record_independently(
                        SampleEvent.REFUSED, actor=Actor.system("test"), stream=stream, target=target
                    )
                    transaction.set_rollback(True)
                    written = turn + 1
    finally:
        connections.close_all()
    return written


def seal_until(stopped: threading.Event) -> None:
    try:
        while not stopped.is_set():
            seal_pending(now=timezone.now(), batch=7)
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_parallel_writers_are_sealed_gapless_complete_and_in_order() -> None:
    streams = [Stream.organization(uuid4()), Stream.organization(uuid4()), Stream.system()]
    stopped = threading.Event()

    with elsewhere() as long, ThreadPoolExecutor(WRITERS + 2) as pool:
        long.begin()
        long.record(SampleEvent.DONE, streams[0])
        sealers = [pool.submit(seal_until, stopped) for _ in range(2)]
        written = sum(pool.map(write_rounds, range(WRITERS), [streams] * WRITERS))
        long.commit()
        stopped.set()
        for sealer in sealers:
            sealer.result()
    seal_pending(now=timezone.now())

    assert Event.objects.count() == Leaf.objects.count() == written + 1
    places = defaultdict(list)
    turns = defaultdict(list)
    for leaf in Leaf.objects.select_related("event").order_by("index"):
        stream = (leaf.stream_type, leaf.stream_id)
        places[stream].append(leaf.index)
        turns[stream, leaf.event.target_type].append(int(leaf.event.target_id or 0))
        assert bytes(leaf.leaf_hash) == hash_again(leaf.event_id)
    assert all(found == list(range(len(found))) for found in places.values())
    assert all(found == sorted(found) for found in turns.values())

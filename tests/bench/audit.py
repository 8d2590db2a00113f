"""What recording an event costs beside one bare INSERT of the same row, and how fast the sealer follows.

Every transaction records into the same stream: with a number from a locked row, eight clients would be no
faster than one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

from django.db import connection, connections, transaction
from django.utils import timezone

from kellexa_portal.audit import Stream, Target, record
from kellexa_portal.audit.catalogue import AuditEvent, register
from kellexa_portal.audit.sealing import seal_pending
from kellexa_portal.core import context
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.context import RequestContext

EVENTS = 2400
CLIENTS = 8
ROUNDS = 3

_BARE_TABLE = """
    CREATE TABLE bench_event (LIKE audit_event INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING INDEXES)
"""
_BARE = """
    INSERT INTO bench_event (
        public_id, schema, stream_type, stream_id, at, name, outcome, reason, actor_type, actor_id,
        on_behalf_of, session_id, auth_level, auth_methods, target_type, target_id, changes, request_id
    ) VALUES (
        gen_random_uuid(), 1, 'organization', %s, now(), 'bench.event.record', 'success', '', 'key', 'key-1',
        '', '', 0, '{}', 'thing', '7', '{"name": "new"}', ''
    )
"""


class BenchEvent(AuditEvent):
    RECORDED = "bench.event.record", "A benchmark recorded an event."


def run() -> Mapping[str, object]:
    """Appends a second, and as a ratio to the bare statement, with one and with eight clients."""
    register(BenchEvent)
    stream = Stream.organization(uuid4())
    result: dict[str, object] = {"name": "audit"}
    with _database():
        for clients in (1, CLIENTS):
            rates: dict[str, list[float]] = {"bare": [], "record": []}
            for _ in range(ROUNDS):  # interleaved, so that both meet the same noise
                rates["bare"].append(_rate(lambda: _insert(stream), clients))
                rates["record"].append(_rate(lambda: _record(stream), clients))
            bare, ours = (sorted(found)[ROUNDS // 2] for found in rates.values())
            result[f"bare_per_second_{clients}"] = round(bare)
            result[f"record_per_second_{clients}"] = round(ours)
            result[f"ratio_{clients}"] = round(ours / bare, 2)
        started = time.perf_counter()
        sealed = seal_pending(now=timezone.now())
        result["sealed_per_second"] = round(sealed / (time.perf_counter() - started))
    return result


@contextmanager
def _database() -> Iterator[None]:
    """A database of its own: what is recorded can never be removed again."""
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_BARE_TABLE)
        yield
    finally:
        connections.close_all()
        connection.creation.destroy_test_db(name, verbosity=0)


def _rate(step: Callable[[], None], clients: int) -> float:
    """Steps a second of all ``clients`` together, each with a connection of its own."""

    def work() -> None:
        try:
            for _ in range(EVENTS // clients):
                step()
        finally:
            connections.close_all()

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        for done in [pool.submit(work) for _ in range(clients)]:
            done.result()
    return EVENTS / (time.perf_counter() - started)


def _insert(stream: Stream) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_BARE, [stream.id])


def _record(stream: Stream) -> None:
    request = RequestContext(ip="192.0.2.1", user_agent="Bench/1.0", request_id="bench")
    with context.bound(request), transaction.atomic():
        record(
            BenchEvent.RECORDED,
            actor=Actor.key("key-1"),
            stream=stream,
            target=Target("thing", "7"),
            changes={"name": "new"},
        )

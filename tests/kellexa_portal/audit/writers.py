"""Other people's transactions: a thread with a database connection of its own that does as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from django.db import connection, connections, transaction

from kellexa_portal.audit import Stream, record
from kellexa_portal.audit.catalogue import AuditEvent
from kellexa_portal.audit.models import Event
from kellexa_portal.audit.stored import COLUMNS, body_from
from kellexa_portal.core.actor import Actor

Answer = TypeVar("Answer")


class Writer:
    """One connection; ``begin`` and ``commit`` are separate calls so that a test can act in between."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self._thread = thread
        self._atomic = transaction.Atomic(using=None, savepoint=True, durable=False)

    def run(self, call: Callable[[], Answer]) -> Answer:
        """Calls it over there and waits for its answer."""
        return self._thread.submit(call).result(timeout=30)

    def begin(self, *, lock_timeout: str = "5s") -> None:
        def enter() -> None:
            self._atomic.__enter__()
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{lock_timeout}'")

        self.run(enter)

    def record(self, event: AuditEvent, stream: Stream) -> None:
        self.run(lambda: record(event, actor=Actor.system("writer"), stream=stream))

    def commit(self) -> None:
        self.run(lambda: self._atomic.__exit__(None, None, None))

    def roll_back(self) -> None:
        self.run(lambda: self._atomic.__exit__(RuntimeError, RuntimeError(), None))

    def close(self) -> None:
        self.run(connections.close_all)


def hash_again(event_id: int) -> bytes:
    """The leaf hash of a stored event, computed anew from what the database holds."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM audit_event AS event WHERE event.id = %s", [event_id])
        return body_from(cursor.fetchone()).leaf_hash()


def insert_copy(**other: str) -> None:
    """Adds a copy of the only event with ``other`` columns, past ``record`` and by bare SQL."""
    kept = [field.column for field in Event._meta.fields if field.column not in {"id", "public_id", *other}]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO audit_event ({', '.join(['public_id', *other, *kept])})"
            f" SELECT {', '.join(['gen_random_uuid()', *(['%s'] * len(other)), *kept])} FROM audit_event",
            list(other.values()),
        )


@contextmanager
def elsewhere() -> Iterator[Writer]:
    """A writer beside the test's own connection."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        writer = Writer(thread)
        try:
            yield writer
        finally:
            writer.close()

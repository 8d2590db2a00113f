"""Gives each event its gapless place in its stream's tree, in commit order, seconds after it happened.

Why afterwards: a number kept in a locked row makes all writers of one organization wait for each other's
whole transactions (docs/adr/0005). Why by transaction id: row ids are given before commit, so a slow
transaction's events appear *behind* the highest id seen, and a sealer that remembered ids would miss them.

The cursor holds a transaction id below which every event has its leaf. One statement reads the unsealed
events from there on together with its own snapshot's ``xmin``, below which nothing can appear any more;
that becomes the next cursor. A long transaction holds the cursor back but delays nobody's seal. An event
committed before another's transaction began gets the lower place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper
from django.db.utils import DEFAULT_DB_ALIAS

from kellexa_portal.audit.leaves import Body
from kellexa_portal.audit.stored import COLUMNS, body_from

BATCH = 4096
_LOCK = 0x6B6C782D7365616C  # "klx-seal"

_UNSEALED = f"""
    SELECT event.id, event.txid, {COLUMNS}
    FROM audit_event event
    WHERE NOT EXISTS (SELECT FROM audit_leaf leaf WHERE leaf.event_id = event.id)
"""  # noqa: S608  # the columns are this package's own names
_READ = """
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, found.txid::text::bigint, found.*
    FROM (SELECT) AS always LEFT JOIN ({unsealed}) AS found ON true
    ORDER BY {order}
"""
_READ_ON = _READ.format(
    unsealed=f"""{_UNSEALED}
        AND event.txid >= %s::text::xid8 AND event.txid < pg_snapshot_xmax(pg_current_snapshot())
        ORDER BY event.txid, event.id LIMIT %s""",
    order="found.txid, found.id",
)
_READ_AFRESH = _READ.format(unsealed=f"{_UNSEALED} ORDER BY event.id LIMIT %s", order="found.id")

_HEADS = """
    SELECT stream.type, stream.id, COALESCE(head.index + 1, 0)
    FROM unnest(%s::text[], %s::uuid[]) AS stream (type, id)
    LEFT JOIN LATERAL (
        SELECT leaf.index FROM audit_leaf leaf
        WHERE leaf.stream_type = stream.type AND leaf.stream_id = stream.id
        ORDER BY leaf.index DESC LIMIT 1
    ) AS head ON true
"""
_INSERT = """
    INSERT INTO audit_leaf (event_id, stream_type, stream_id, index, leaf_hash, sealed_at)
    SELECT *, %s FROM unnest(%s::bigint[], %s::text[], %s::uuid[], %s::bigint[], %s::bytea[])
"""
_SAVE = """
    INSERT INTO audit_sealer (id, sealed_through, cluster) VALUES (1, %s::text::xid8, %s)
    ON CONFLICT (id) DO UPDATE SET sealed_through = EXCLUDED.sealed_through, cluster = EXCLUDED.cluster
"""
_LOAD = """
    SELECT cluster.id, sealer.sealed_through::text::bigint
    FROM (SELECT system_identifier::text FROM pg_control_system()) AS cluster (id)
    LEFT JOIN audit_sealer sealer
        ON sealer.cluster = cluster.id AND sealer.sealed_through <= pg_snapshot_xmax(pg_current_snapshot())
"""


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where to go on; ``through`` is ``None`` where transaction ids of another cluster mean nothing here."""

    cluster: str
    through: int | None


@dataclass(frozen=True, slots=True)
class _Found:
    """Unsealed events in sealing order, the snapshot's ``xmin``, and the last event's transaction id."""

    events: list[tuple[int, Body]]
    xmin: int
    last_txid: int
    is_last: bool


def seal_pending(*, now: datetime, using: str = DEFAULT_DB_ALIAS, batch: int = BATCH) -> int:
    """Seals what is unsealed and answers how many events that were; 0 also while another process seals.

    One transaction a batch: killed at any line, the next call goes on from the last whole batch.
    """
    total = 0
    while True:
        sealed, goes_on = _seal_batch(now=now, using=using, batch=batch)
        total += sealed
        if not goes_on:
            return total


def _seal_batch(*, now: datetime, using: str, batch: int) -> tuple[int, bool]:
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        if not _is_only_sealer(cursor):
            return 0, False
        place = _load(cursor)
        found = _read(cursor, place, batch)
        if found.events:
            _insert(cursor, found.events, now)
        if place.through is not None:
            reached = found.xmin if found.is_last else min(found.xmin, found.last_txid)
            if reached != place.through:
                cursor.execute(_SAVE, [str(reached), place.cluster])
        elif found.is_last:
            cursor.execute(_SAVE, [str(found.xmin), place.cluster])
    return len(found.events), not found.is_last


def _is_only_sealer(cursor: CursorWrapper) -> bool:
    """Takes the sealer's lock until commit, without waiting. The snapshot is taken after it, so that the
    leaves of the former holder are seen; under REPEATABLE READ the order would be the other way round.
    """
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
    return bool(_row(cursor)[0])


def _load(cursor: CursorWrapper) -> _Cursor:
    cursor.execute(_LOAD)
    cluster, through = _row(cursor)
    return _Cursor(cluster, through)


def _read(cursor: CursorWrapper, place: _Cursor, batch: int) -> _Found:
    """The next events. After a restore into a new cluster the whole log is searched once, by row id:
    with a sequence that keeps commit order too, only not cheaply.
    """
    if place.through is None:
        cursor.execute(_READ_AFRESH, [batch])
    else:
        cursor.execute(_READ_ON, [str(place.through), batch])
    rows = cursor.fetchall()
    events = [(event_id, body_from(values)) for _, _, event_id, _, *values in rows if event_id is not None]
    return _Found(events, xmin=rows[0][0], last_txid=rows[-1][1] or 0, is_last=len(events) < batch)


def _insert(cursor: CursorWrapper, events: list[tuple[int, Body]], now: datetime) -> None:
    streams = {(body.stream_type, body.stream_id) for _, body in events}
    types, ids = zip(*streams, strict=True)
    cursor.execute(_HEADS, [list(types), list(ids)])
    places = {(kind, owner): count(start) for kind, owner, start in cursor.fetchall()}
    cursor.execute(
        _INSERT,
        [
            now,
            [event_id for event_id, _ in events],
            [body.stream_type for _, body in events],
            [body.stream_id for _, body in events],
            [next(places[body.stream_type, body.stream_id]) for _, body in events],
            [body.leaf_hash() for _, body in events],
        ],
    )


def _row(cursor: CursorWrapper) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = cursor.fetchone()
    assert row is not None
    return row

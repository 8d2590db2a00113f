"""The security log as files: the same rows as the page, in full, streamed."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from kellexa_portal.audit.models import Event

COLUMNS = (
    "id",
    "at",
    "event",
    "what",
    "outcome",
    "reason",
    "actor",
    "session",
    "address",
    "user_agent",
    "changes",
    "request_id",
)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
CHUNK = 500


class _Line:
    """A file that hands each line straight on."""

    def write(self, text: str) -> str:
        return text


def as_csv(events: Iterable[Event]) -> Iterator[str]:
    """RFC 4180 with a header; what a spreadsheet would run as a formula gets an apostrophe (CWE-1236)."""
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for event in events:
        yield writer.writerow([_cell(value) for value in _row(event).values()])


def as_json_lines(events: Iterable[Event]) -> Iterator[str]:
    """One JSON object a line, oldest keys first as in ``COLUMNS``."""
    for event in events:
        yield json.dumps(_row(event), ensure_ascii=False) + "\n"


def _row(event: Event) -> dict[str, Any]:
    values = (
        str(event.public_id),
        event.at.isoformat(),
        event.name,
        str(event.sentence),
        event.outcome,
        event.reason,
        event.actor_type,
        str(event.session_id or ""),
        event.ip,
        event.user_agent,
        event.changes,
        event.request_id,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text

"""Pages of a list by keyset: a deep page costs what the first costs, and a new row moves none."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

MAX_LIMIT = 200
MAX_DIGITS = 18

T = TypeVar("T", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows of one page and the cursor of the next page or ``None`` on the last."""

    items: list[T]
    next_cursor: str | None


def encode_cursor(key: int) -> str:
    return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> int | None:
    """The key in ``cursor``, or ``None`` for anything that this module did not write."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    key = int(text) if text.isdigit() and len(text) <= MAX_DIGITS else None
    return key if key is not None and encode_cursor(key) == cursor else None


@dataclass(frozen=True, slots=True)
class Order:
    """A way to sort a list: by ``column``, rising, rows of equal value by primary key.

    ``column`` is never null. ``is_instant`` says that it holds instants; otherwise it holds text.
    """

    column: str
    is_instant: bool = False

    def cursor_of(self, row: Model) -> str:
        value = getattr(row, self.column)
        text = value.isoformat() if self.is_instant else value
        return base64.urlsafe_b64encode(json.dumps([text, row.pk]).encode()).decode().rstrip("=")

    def read(self, cursor: str) -> tuple[Any, int] | None:
        """Where to go on, or ``None`` for anything that ``cursor_of`` did not write."""
        try:
            value, key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            if not isinstance(value, str) or type(key) is not int or not 0 <= key < 10**MAX_DIGITS:
                return None
            if self.is_instant:
                instant = datetime.fromisoformat(value)
                return (instant, key) if instant.tzinfo else None
        except (binascii.Error, ValueError, TypeError, RecursionError):
            return None
        return None if "\x00" in value else (value, key)


def page(rows: QuerySet[T, Any], *, cursor: str = "", limit: int = 50, order: Order | None = None) -> Page[T]:
    """One page of ``rows`` by ``order``, else newest first; a foreign cursor gives the first page."""
    limit = max(1, min(limit, MAX_LIMIT))
    rows = _newest(rows, cursor) if order is None else _sorted(rows, cursor, order)
    found = list(rows[: limit + 1])
    items = found[:limit]
    if len(found) <= limit:
        return Page(items, None)
    return Page(items, encode_cursor(items[-1].pk) if order is None else order.cursor_of(items[-1]))


def _newest(rows: QuerySet[T, Any], cursor: str) -> QuerySet[T, Any]:
    after = decode_cursor(cursor) if cursor else None
    return (rows if after is None else rows.filter(pk__lt=after)).order_by("-pk")


def _sorted(rows: QuerySet[T, Any], cursor: str, order: Order) -> QuerySet[T, Any]:
    after = order.read(cursor) if cursor else None
    if after is not None:
        value, key = after
        beyond = Q(**{f"{order.column}__gt": value}) | Q(**{order.column: value, "pk__gt": key})
        rows = rows.filter(beyond)
    return rows.order_by(order.column, "pk")

"""Pages of a list by keyset: a deep page costs what the first costs, and a new row moves none."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet

MAX_LIMIT = 200
MAX_DIGITS = 18

T = TypeVar("T", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows of one page, newest first, and the cursor of the next page or ``None`` on the last."""

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


def page(rows: QuerySet[T, Any], *, cursor: str = "", limit: int = 50) -> Page[T]:
    """One page of ``rows`` by falling primary key; a foreign or broken cursor gives the first page."""
    limit = max(1, min(limit, MAX_LIMIT))
    after = decode_cursor(cursor) if cursor else None
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-pk")[: limit + 1])
    more = len(found) > limit
    items = found[:limit]
    return Page(items, encode_cursor(items[-1].pk) if more else None)

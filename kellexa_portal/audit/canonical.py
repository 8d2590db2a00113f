"""One byte sequence for one value (RFC 8785), so that a hash made today can be checked in ten years."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

_LARGEST_EXACT_INTEGER = 2**53 - 1


def canonical(value: Mapping[str, object]) -> bytes:
    """The canonical JSON of ``value``: keys by UTF-16 code unit, no blanks, UTF-8.

    Takes text, booleans, ``None``, lists, maps, and whole numbers below 2**53; anything else has no single
    spelling and raises ``TypeError``.
    """
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":")).encode()


def _ordered(value: object) -> object:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int) and abs(value) <= _LARGEST_EXACT_INTEGER:
        return value
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: str(key).encode("utf-16-be"))
        return {str(key): _ordered(value[key]) for key in keys}
    if isinstance(value, list | tuple):
        return [_ordered(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical form")


def instant(at: datetime) -> str:
    """``at`` in UTC to the microsecond, always with six digits."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

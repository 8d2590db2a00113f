"""What may stand in an event: plain JSON without secrets, as the database will give it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from kellexa_portal.audit.canonical import instant
from kellexa_portal.redaction import REDACTED, is_sensitive, redact

_LONGEST_TEXT = 2000
_MOST_ITEMS = 200
_DEEPEST = 6
_LARGEST_INTEGER = 10**15 - 1  # any reader's numbers are exact below 2**53


def clean(text: str, *, limit: int = _LONGEST_TEXT) -> str:
    """``text`` without secrets, NUL and lone surrogates, cut to ``limit``.

    PostgreSQL refuses NUL and surrogates: an attacker who sent one would leave no evidence at all.
    Redaction precedes the cut, because half a secret is no longer recognised as one.
    """
    if not text:
        return ""
    whole = text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    return redact(whole)[:limit]


def presentable(changes: Mapping[str, object] | None) -> dict[str, object]:
    """``changes`` as they will be stored: secrets gone by pattern and by name, numbers exact."""
    return _map(changes or {}, 0)


def _map(values: Mapping[str, object], depth: int) -> dict[str, object]:
    presented: dict[str, object] = {}
    for key, value in list(values.items())[:_MOST_ITEMS]:
        name = clean(str(key), limit=100)
        presented[name] = REDACTED if _hides(name, value) else _plain(value, depth + 1)
    return presented


def _hides(name: str, value: object) -> bool:
    """Whether the field's name says that its value is a secret; flags and absences are none."""
    return bool(value) and not isinstance(value, bool) and is_sensitive(name)


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, bool) or (type(value) is int and abs(value) <= _LARGEST_INTEGER)


def _plain(value: object, depth: int) -> object:
    if _is_plain(value):
        return value
    if isinstance(value, datetime):
        return instant(value) if value.tzinfo else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if depth > _DEEPEST:
        return clean(str(value))
    if isinstance(value, Mapping):
        return _map(value, depth)
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [_plain(item, depth + 1) for item in list(items)[:_MOST_ITEMS]]
    if isinstance(value, bytes | bytearray | memoryview):
        return REDACTED
    return clean(str(value))

"""Secrets in structures: whatever stands under a telling name goes, text is searched by shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import re2

from .patterns import NAMES, REDACTED, redact

_DEEPEST = 8
_SENSITIVE = re2.compile(rf"(?i){NAMES}(?:_?(?:[0-9]+|value|hash))?$")
_CODE = re2.compile(r"[0-9]{6,8}")
_PLAIN = (int, float, bool, type(None))


def is_sensitive(name: object) -> bool:
    """Whether a field, variable or key of this name holds a secret."""
    text = name.decode("latin-1") if isinstance(name, bytes) else str(name)
    return bool(_SENSITIVE.search(text))


def redact_value(value: Any, *, depth: int = 0) -> Any:
    """A copy of ``value`` without secrets: containers keep their kind, anything unknown becomes its text.

    Structures deeper than eight levels are cut off, so that a cycle ends.
    """
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return redact(bytes(value).decode("latin-1")).encode("latin-1")
    if depth >= _DEEPEST:
        return REDACTED
    if isinstance(value, Mapping):
        return {
            _key(key): REDACTED if _is_secret(key, item) else redact_value(item, depth=depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return _redact_items(value, depth=depth + 1)
    return redact(_text(value))


def _is_secret(name: object, value: object) -> bool:
    """Whether ``name`` makes a secret of ``value``: a ``code`` is one when it is a sign-in code."""
    if name in {"code", b"code"}:
        return bool(_CODE.fullmatch(_text(value)))
    return bool(value) and is_sensitive(name)


def _key(key: Any) -> Any:
    return redact(key) if isinstance(key, str) else key


def _redact_items(value: Any, *, depth: int) -> Any:
    is_pair = isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str | bytes)  # a header
    if is_pair and is_sensitive(value[0]):
        return (value[0], REDACTED)
    items = [redact_value(item, depth=depth) for item in value]
    return tuple(items) if isinstance(value, tuple) else items


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001  # a broken __str__ must not lose the log line
        return f"<{type(value).__name__}>"

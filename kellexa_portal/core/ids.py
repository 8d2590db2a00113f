"""Identifiers: sortable for rows, unguessable for what must not be found by trying."""

from __future__ import annotations

import secrets
import string
import time
import uuid

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def uuid7() -> uuid.UUID:
    """A time-ordered random id (RFC 9562, section 5.7): 48 bits of Unix milliseconds, 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76
    value |= secrets.randbits(12) << 64
    value |= 0b10 << 62
    value |= secrets.randbits(62)
    return uuid.UUID(int=value)


def base62(length: int) -> str:
    """A random base62 text of ``length`` characters, 5.95 bits each, from the system's generator."""
    return "".join(secrets.choice(BASE62) for _ in range(length))

"""Keyed hashes for what is compared and never read back: HMAC-SHA256 under a pepper of the environment.

A copy of the database alone allows neither guessing nor making a hash. The hash names its pepper, so
that a pepper can be replaced while its values are still in use: ``length of id | id | digest (32)``.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from django.conf import settings

from .framing import frame

_DIGEST_BYTES = 32


def _mac(pepper: bytes, message: bytes) -> bytes:
    return hmac.new(pepper, message, hashlib.sha256).digest()


def _hash(pepper_id: str, value: bytes, purpose: str) -> bytes:
    name = pepper_id.encode("ascii")
    digest = _mac(_peppers()[pepper_id], frame(b"kellexa-portal/hash", purpose.encode(), value))
    return bytes([len(name)]) + name + digest


def _peppers() -> Mapping[str, bytes]:
    peppers: Mapping[str, bytes] = settings.TOKEN_PEPPERS
    return peppers


def _pepper_id_of(hashed: bytes) -> str | None:
    """The pepper that ``hashed`` names, or ``None`` where it is none of ours or malformed."""
    if not hashed or len(hashed) != 1 + hashed[0] + _DIGEST_BYTES:
        return None
    pepper_id = hashed[1 : 1 + hashed[0]].decode("ascii", "replace")
    return pepper_id if pepper_id in _peppers() else None


def keyed_hash(value: bytes, *, purpose: str) -> bytes:
    """The hash of ``value`` under the current pepper; equal values of two purposes differ."""
    return _hash(next(iter(_peppers())), value, purpose)


def matches(value: bytes, hashed: bytes, *, purpose: str) -> bool:
    """Whether ``hashed`` is the hash of ``value`` under the pepper it names, in constant time.

    A malformed hash or one of a removed pepper matches nothing.
    """
    hashed = bytes(hashed)
    pepper_id = _pepper_id_of(hashed)
    return pepper_id is not None and hmac.compare_digest(_hash(pepper_id, value, purpose), hashed)


def needs_rehash(hashed: bytes) -> bool:
    """Whether the next use should store the hash anew, under the current pepper."""
    return _pepper_id_of(bytes(hashed)) != next(iter(_peppers()))


def candidates(value: bytes, *, purpose: str) -> list[bytes]:
    """The hash under every live pepper, the current first, for an indexed lookup."""
    return [_hash(pepper_id, value, purpose) for pepper_id in _peppers()]

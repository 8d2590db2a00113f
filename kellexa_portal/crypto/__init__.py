"""Secrets at rest: sealed values bound to their row, and keyed hashes for what is only compared.

``docs/adr/0004-crypto.md`` holds the format, the threat model and the way keys are renewed.
"""

from __future__ import annotations

from .errors import SealedValueError
from .hashes import candidates, keyed_hash, matches, needs_rehash
from .places import SYSTEM_SCOPE, Place
from .registry import register_sealed
from .sealing import open_sealed, seal

__all__ = [
    "SYSTEM_SCOPE",
    "Place",
    "SealedValueError",
    "candidates",
    "keyed_hash",
    "matches",
    "needs_rehash",
    "open_sealed",
    "register_sealed",
    "seal",
]

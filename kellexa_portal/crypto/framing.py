"""Joins parts so that no two different lists of parts give the same bytes."""

from __future__ import annotations


def frame(*parts: bytes) -> bytes:
    """Each part behind its length in four bytes, so that ``("ab", "c")`` and ``("a", "bc")`` differ."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)

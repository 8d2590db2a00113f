"""Pure decisions about organizations."""

from __future__ import annotations

from accounts.identity import rules as names


def clean_name(name: str) -> str | None:
    """``name`` as it is stored, or ``None`` if it is empty, too long or holds characters that don't show.

    By the sign-up's own rule, so that whatever a sign-up accepted can be founded: a person must never be
    stuck between the two.
    """
    try:
        cleaned = names.clean_name(name)
    except ValueError:
        return None
    return cleaned if 0 < len(cleaned) <= names.MAX_NAME_LENGTH else None

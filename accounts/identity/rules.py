"""Decisions and lifetimes of sign-up and sign-in; no ORM, and ``now`` is given."""

from __future__ import annotations

import re
import unicodedata
import zoneinfo
from collections.abc import Collection
from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MAX_EMAIL_LENGTH = 254
MAX_NAME_LENGTH = 120

SIGN_UP_LIFETIME = timedelta(hours=24)
RESET_LIFETIME = timedelta(hours=1)
EMAIL_CHANGE_LIFETIME = timedelta(hours=1)
EMAIL_UNDO_LIFETIME = timedelta(days=7)
STAFF_INVITATION_LIFETIME = timedelta(hours=24)

PENDING_LIFETIME = timedelta(minutes=10)
PENDING_TRIES = 5

ADDRESS_PATTERN = r"^[!-~]+@[!-~]+$"
"""Printable ASCII on both sides; the form checks the grammar, the database this much."""

_UNPRINTABLE = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_DIRECTION_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_email(text: str) -> str:
    """The address as it is stored and mailed: compatibility forms folded, space trimmed, host in ASCII.

    Full-width letters and ligatures become what they look like; an internationalised host becomes its
    ``xn--`` form. A local part that is not ASCII afterwards raises ``ValueError``, so that ``mıke@`` can
    never pass for ``mike@`` (CVE-2019-19844); so does a text too long to be an address, and one with the
    control characters that a quoted local part may hold by its grammar and the database refuses.
    """
    folded = unicodedata.normalize("NFKC", text[: MAX_EMAIL_LENGTH + 1]).strip()
    if len(text) > MAX_EMAIL_LENGTH or len(folded) > MAX_EMAIL_LENGTH:
        raise ValueError("longer than an address can be")
    local, separator, host = folded.rpartition("@")
    address = f"{local}{separator}{host.encode('idna').decode('ascii').lower()}"
    if not address.isascii():
        raise ValueError("the local part is not ASCII")
    if not re.fullmatch(ADDRESS_PATTERN, address):
        raise ValueError("not printable ASCII on both sides")
    return address


def canonical_email(text: str) -> str:
    """The one spelling under which an address is counted and looked up, whatever was typed.

    Variants of case, width and space share one budget (attack case 15). Never raises: what is no address
    still has to be counted.
    """
    try:
        return clean_email(text).lower()
    except ValueError:
        return unicodedata.normalize("NFKC", text[:MAX_EMAIL_LENGTH]).strip().casefold()


def visible(text: str, *, hidden: Collection[str]) -> str:
    """``text`` composed (NFC), with single spaces, in characters that show.

    Raises ``ValueError`` for a character of the ``hidden`` categories of Unicode, such as a control, which
    would break a line of a log or a mail, and for a direction override, which makes a name read as another.
    """
    composed = unicodedata.normalize("NFC", text)
    if any(unicodedata.category(c) in hidden or c in _DIRECTION_OVERRIDES for c in composed):
        raise ValueError("a character that does not show")
    return " ".join(composed.split())


def clean_name(text: str) -> str:
    """A person's or an organization's name: visible, with at least one letter or digit to read it by.

    Joining marks stay, since several scripts need them. Raises ``ValueError``.
    """
    name = visible(text, hidden=_UNPRINTABLE)
    if not any(unicodedata.category(c)[0] in {"L", "N"} for c in name):
        raise ValueError("nothing that can be read")
    return name


def known_time_zone(name: str) -> str:
    """``name`` when it is a zone of the time zone database, else UTC; a browser's word is never trusted."""
    return name if name in zoneinfo.available_timezones() else "UTC"


def zone_named(name: str) -> ZoneInfo:
    """The time zone called ``name``, or UTC for one that this system does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")

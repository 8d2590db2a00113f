"""When a session ends by itself, and what a way of signing in is worth. Pure; takes ``now``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

MAX_LIVE_SESSIONS = 50
SEEN_EVERY = timedelta(minutes=1)
NEW_DEVICE_MEMORY = timedelta(days=180)
KEEP_ENDED_FOR = NEW_DEVICE_MEMORY
HAND_OVER_LIFETIME = timedelta(minutes=5)
LEVEL_ONE_FACTOR = 1
LEVEL_TWO_FACTORS = 2
TRUST_LIFETIME = timedelta(days=30)
TRUST_TOKEN_BYTES = 16
MAX_TRUSTED_BROWSERS = 10


TOLD_ELSEWHERE = frozenset({"enrolment", "new_passkey", "recovery"})
"""Ways of signing in that send a notice of their own, so that one sign-in is not told twice."""


ACTIVITY_PERIODS = ((1, _("Last day")), (7, _("Last week")), (30, _("Last 30 days")))


class Expiry(StrEnum):
    """Why a session is over although nobody ended it."""

    IDLE = "idle"
    ABSOLUTE = "absolute"
    EPOCH = "epoch"
    INACTIVE = "inactive"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lives without use, and at all (ASVS 7.3.1, 7.3.2)."""

    idle: timedelta
    absolute: timedelta


CUSTOMER_LIMITS = Limits(idle=timedelta(minutes=30), absolute=timedelta(hours=12))
STAFF_LIMITS = Limits(idle=timedelta(minutes=15), absolute=timedelta(hours=8))


def limits_of(*, is_staff: bool) -> Limits:
    """The limits of a kind of account; those of staff are shorter because they see every customer."""
    return STAFF_LIMITS if is_staff else CUSTOMER_LIMITS


def expiry_of(
    *,
    limits: Limits,
    started_at: datetime,
    last_seen_at: datetime,
    now: datetime,
) -> Expiry | None:
    """Why the clock ends a session, or ``None``. Periods are half-open: the limit itself is too late.

    ``last_seen_at`` is written once in ``SEEN_EVERY``, so an idle session may end up to that much early
    and never late.
    """
    if now - started_at >= limits.absolute:
        return Expiry.ABSOLUTE
    if now - last_seen_at >= limits.idle:
        return Expiry.IDLE
    return None


RECENT_FOR = timedelta(minutes=10)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
GRANT_LIFETIME = timedelta(minutes=5)
FACTOR_OF_METHOD = {
    "totp": "totp",
    "passkey": "passkey",
    "pwd_passkey": "passkey",
    "new_passkey": "passkey",
    "enrolment": "totp",
    "recovery": "",
    "trusted": "",
}
MAY_TRUST = frozenset({"totp", "pwd_passkey"})
"""Ways of signing in after which a browser may be trusted: password and a factor that was shown just then."""


def is_recent(at: datetime | None, *, now: datetime) -> bool:
    """Whether a proof given at ``at`` still counts; one from the future, after the clock jumped, does not."""
    return at is not None and timedelta(0) <= now - at < RECENT_FOR


METHODS = {
    "totp": ("pwd", "otp", "mfa"),
    "enrolment": ("pwd", "otp", "mfa"),
    "recovery": ("pwd", "recovery", "mfa"),
    "trusted": ("pwd",),
    "passkey": ("hwk", "user", "mfa"),
    "pwd_passkey": ("pwd", "hwk", "user", "mfa"),
    "new_passkey": ("pwd", "hwk", "user", "mfa"),
}


def level_of(method: str) -> int:
    """How many factors a way of signing in has shown: a browser that is trusted shows none."""
    return LEVEL_TWO_FACTORS if "mfa" in METHODS[method] else LEVEL_ONE_FACTOR


def methods_of(method: str, *, is_synced: bool = False, is_federated: bool = False) -> tuple[str, ...]:
    """The methods shown, in the words of RFC 8176, with ``recovery`` and ``sso`` for what it does not know.

    A passkey that may leave its device is a software key (``swk``), one that can't is a hardware key. Where
    an identity provider vouched, nobody typed a password here.
    """
    words = {"hwk": "swk" if is_synced else "hwk", "pwd": "sso" if is_federated else "pwd"}
    return tuple(words.get(word, word) for word in METHODS[method])

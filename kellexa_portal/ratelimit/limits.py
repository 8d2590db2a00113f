"""What a limit is, what it answers, and the refusal that a person sees."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from kellexa_portal.core.errors import DomainError, Fault

_NAME = re.compile(r"[a-z0-9_.:-]{1,80}")
_MICROSECOND = timedelta(microseconds=1)
_MINUTE = 60
_HOUR = 3600


class WhenDown(StrEnum):
    """What happens while Redis does not answer."""

    POSTGRES = "postgres"
    """Counts in PostgreSQL: customers can still sign in, and guessers are still counted."""
    REFUSE = "refuse"
    """Refuses: nobody becomes staff while the counters are in doubt."""


@dataclass(frozen=True, slots=True)
class Limit:
    """``budget`` attempts at once, which come back evenly over ``period`` (a leaky bucket, GCRA).

    No stretch as long as ``period`` sees more than twice the budget, and the long-run rate is the
    budget's. A constant of the app that uses it; ``name`` is unique and stands in the stored key.
    """

    name: str
    budget: int
    period: timedelta

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"'{self.name}' is no name of a limit.")
        if self.budget < 1 or self.interval < 1:
            raise ValueError(f"The limit '{self.name}' needs a budget and a period.")

    @property
    def interval(self) -> int:
        """Microseconds until one attempt comes back."""
        return self.period // _MICROSECOND // self.budget

    def key_of(self, subject: str) -> str:
        """The stored key: keyed by the installation's secret, so that a dump of Redis names no one."""
        digest = salted_hmac("kellexa.ratelimit", f"{self.name}\x00{subject}", algorithm="sha256").hexdigest()
        return f"limit:{self.name}:{digest}"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one attempt.

    ``remaining``: attempts that would still be allowed now. ``retry_after``: when this one would be;
    zero when it is. ``whole_after``: when the budget is whole again.
    """

    allowed: bool
    remaining: int
    retry_after: timedelta
    whole_after: timedelta = timedelta(0)

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def retry_after_seconds(self) -> int:
        """For ``Retry-After`` (RFC 9110, section 10.2.3): whole seconds, rounded up so that it is true."""
        return math.ceil(self.retry_after.total_seconds())


class TooManyAttempts(DomainError):
    """The budget is spent. ``params["retry_after"]`` holds whole seconds."""

    code = "too_many_attempts"
    fault = Fault.LIMITED
    message = _("Too many attempts. Please wait a moment and try again.")

    def __init__(self, *, retry_after: int) -> None:
        super().__init__(retry_after=retry_after)

    def sentence(self) -> str:
        """Says how long to wait in the unit that a person would use."""
        seconds = max(1, int(self.params["retry_after"]))
        if seconds < _MINUTE:
            return ngettext(
                "Too many attempts. Try again in %(count)d second.",
                "Too many attempts. Try again in %(count)d seconds.",
                seconds,
            ) % {"count": seconds}
        if seconds < _HOUR:
            minutes = math.ceil(seconds / _MINUTE)
            return ngettext(
                "Too many attempts. Try again in %(count)d minute.",
                "Too many attempts. Try again in %(count)d minutes.",
                minutes,
            ) % {"count": minutes}
        hours = math.ceil(seconds / _HOUR)
        return ngettext(
            "Too many attempts. Try again in %(count)d hour.",
            "Too many attempts. Try again in %(count)d hours.",
            hours,
        ) % {"count": hours}

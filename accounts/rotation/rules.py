"""When a credential is due and when a person is told; pure decisions over instants."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import IntEnum

from accounts.identity.rules import zone_named

DEFAULT_MAX_AGE_DAYS = 90
MAX_AGE_CHOICES = (30, 60, 90, 180, 365)
STAGES = (30, 14, 7, 3, 1, 0)
OVERDUE_EVERY_DAYS = 7
OVERDUE_STAGES = tuple(-OVERDUE_EVERY_DAYS * week for week in range(1, 53))
MANDATORY_STAGES = (3, 1, 0)
OPTIONAL_STAGES = tuple(stage for stage in STAGES if stage not in MANDATORY_STAGES)
URGENT_STAGES = (1, 0)
CONTACTS_FROM_STAGE = 7
OWNERS_FROM_STAGE = 3
DIGEST_AT = time(9, 0)
SATURDAY = 5


class Audience(IntEnum):
    """Who hears of a stage; each circle includes the one before it."""

    OWNER = 0
    CONTACTS = 1
    ORGANIZATION_OWNERS = 2


@dataclass(frozen=True, slots=True)
class LocalMoment:
    """An instant as one person lives it: their date, their time of day, whether they work that day."""

    date: date
    time: time
    is_weekday: bool


def due_at(*, created_at: datetime, expires_at: datetime | None, max_age: timedelta) -> datetime:
    """The instant by which a credential is to be rotated: its expiry or its greatest age, the earlier."""
    oldest = created_at + max_age
    return min(oldest, expires_at) if expires_at else oldest


def stage_at(
    *, due_at: datetime, now: datetime, stages: Iterable[int], has_ended: bool = False
) -> int | None:
    """The most urgent stage that has been reached, in days before ``due_at``, or ``None`` before the first.

    After an outage this skips the stages that were missed, so that nobody gets four mails at once.
    Past the due instant a stage comes every seven days, as ``-7``, ``-14`` and so on, but not for a
    credential that ``has_ended``: nobody can still rotate it in time.
    """
    possible = stages if has_ended else (*stages, *OVERDUE_STAGES)
    reached = [stage for stage in possible if due_at - timedelta(days=stage) <= now]
    return min(reached, default=None)


def stages_with_mandatory(chosen: Iterable[int]) -> list[int]:
    """The chosen stages among those offered, and the last days, which nobody can switch off."""
    wanted = set(chosen) | set(MANDATORY_STAGES)
    return [stage for stage in STAGES if stage in wanted]


def audience_of(stage: int) -> Audience:
    """How wide a stage is told: the owner, then the contacts, then the organization's owners."""
    if stage <= OWNERS_FROM_STAGE:
        return Audience.ORGANIZATION_OWNERS
    return Audience.CONTACTS if stage <= CONTACTS_FROM_STAGE else Audience.OWNER


def moment_in(zone: str, now: datetime) -> LocalMoment:
    """``now`` where the person is; an unknown zone counts as UTC."""
    local = now.astimezone(zone_named(zone))
    return LocalMoment(local.date(), local.time(), local.weekday() < SATURDAY)


def is_digest_time(moment: LocalMoment) -> bool:
    """Whether a digest may go out: from 09:00 on, on a weekday (the end of the day closes the window)."""
    return moment.is_weekday and moment.time >= DIGEST_AT

"""What is out of the ordinary. Pure decisions over instants, counts and places, with every threshold."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

EARTH_RADIUS_KM = 6371.0
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The one table of the rules; docs/adr/0014 shows it and a test holds them together.

    ``least`` counts are reached by equality, "over" is strictly more, and a period is half-open: what is
    exactly as old as the period lies outside it.
    """

    travel_over_km: float = 500.0
    travel_over_km_an_hour: float = 1000.0
    travel_unknown_radius_km: float = 1000.0
    stuffing_period: timedelta = timedelta(minutes=10)
    stuffing_least_accounts: int = 20
    stuffing_least_failures: int = 200
    stuffing_over_baseline: float = 3.0
    stuffing_baseline_period: timedelta = timedelta(days=7)
    challenge_for: timedelta = timedelta(hours=1)
    after_failures_period: timedelta = timedelta(hours=1)
    after_failures_least: int = 10
    mfa_guess_period: timedelta = timedelta(hours=1)
    mfa_guess_least: int = 3
    drift_period: timedelta = timedelta(minutes=10)
    dormant_over: timedelta = timedelta(days=180)
    takeover_period: timedelta = timedelta(minutes=30)
    takeover_least_kinds: int = 2
    takeover_quarantine: timedelta = timedelta(hours=24)


THRESHOLDS = Thresholds()

KEEP_FOR = timedelta(days=400)
LOOK_BACK = timedelta(hours=1)
"""How far the first sweep of an installation looks back: the longest period of a rule that it serves."""

EVERYWHERE = "everywhere"
"""The subject of a flood that no single network explains."""

LOGIN_SUCCEEDED = "auth.login.succeed"
LOGIN_FAILED = "auth.login.fail"
WRONG_CODES = frozenset({"auth.mfa.fail", "auth.mfa.replay", "auth.recovery.fail"})
FAILURES = WRONG_CODES | {LOGIN_FAILED}
KIND_OF_CHANGE = {
    "account.email.change": "email",
    "auth.mfa.enrol": "factor",
    "auth.mfa.replace": "factor",
    "auth.mfa.remove": "factor",
    "auth.recovery.renew": "factor",
    "key.created": "key",
    "key.rotated": "key",
}
WATCHED = FAILURES | {LOGIN_SUCCEEDED} | KIND_OF_CHANGE.keys()


class Rule(StrEnum):
    """The rules, by the names that anomalies and their events bear."""

    TRAVEL = "travel"
    STUFFING = "stuffing"
    AFTER_FAILURES = "after_failures"
    MFA_GUESS = "mfa_guess"
    DRIFT = "drift"
    DORMANT = "dormant"
    TAKEOVER = "takeover"


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where somebody was at an instant, give or take ``radius_km``; ``None`` where nobody knows how much."""

    latitude: float
    longitude: float
    radius_km: float | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """One failure at the password: when, from which network, at which account."""

    at: datetime
    network: str
    account: str


@dataclass(frozen=True, slots=True)
class Burst:
    """That a count was reached, and when."""

    subject: str
    at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Change:
    """One change of what secures an account; ``kind`` is e-mail, factor or key."""

    at: datetime
    kind: str


def distance_km(one: Sighting, other: Sighting) -> float:
    """The way along the great circle (haversine), in kilometres."""
    lat_1, lat_2 = math.radians(one.latitude), math.radians(other.latitude)
    half_lat = (lat_2 - lat_1) / 2
    half_long = math.radians(other.longitude - one.longitude) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(lat_1) * math.cos(lat_2) * math.sin(half_long) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))


def certain_km(before: Sighting, now: Sighting, *, table: Thresholds = THRESHOLDS) -> float:
    """The distance that remains when both places are as near to each other as their accuracy allows."""
    radii = [
        table.travel_unknown_radius_km if sighting.radius_km is None else sighting.radius_km
        for sighting in (before, now)
    ]
    return max(0.0, distance_km(before, now) - sum(radii))


def is_travel(before: Sighting, now: Sighting, *, table: Thresholds = THRESHOLDS) -> bool:
    """Whether nobody can have come from ``before`` to ``now`` in the time between.

    A time that runs backwards (the clock was set back) proves nothing and is let pass.
    """
    hours = (now.at - before.at) / HOUR
    if hours < 0:
        return False
    far = certain_km(before, now, table=table)
    return far > table.travel_over_km and far > table.travel_over_km_an_hour * hours


def bursts(subject: str, times: Iterable[datetime], *, least: int, within: timedelta) -> list[Burst]:
    """When ``least`` of ``times`` lay within a period, told once a period."""
    return crowds(((subject, at, str(n)) for n, at in enumerate(sorted(times))), least=least, within=within)


def crowds(marks: Iterable[tuple[str, datetime, str]], *, least: int, within: timedelta) -> list[Burst]:
    """When ``least`` different things lay within a period, for each subject; told once a period.

    ``marks`` are triples of subject, instant and thing. Periods slide: no border in the calendar hides a
    burst that lies on both sides of it.
    """
    found: list[Burst] = []
    by_subject: dict[str, list[tuple[datetime, str]]] = {}
    for subject, at, thing in marks:
        by_subject.setdefault(subject, []).append((at, thing))
    for subject, pairs in by_subject.items():
        found += _crowds_of(subject, sorted(pairs), least=least, within=within)
    return found


def _crowds_of(
    subject: str, pairs: Iterable[tuple[datetime, str]], *, least: int, within: timedelta
) -> list[Burst]:
    found: list[Burst] = []
    recent: deque[tuple[datetime, str]] = deque()
    things: Counter[str] = Counter()
    for at, thing in pairs:
        recent.append((at, thing))
        things[thing] += 1
        while at - recent[0][0] >= within:
            _, gone = recent.popleft()
            things[gone] -= 1
            if not things[gone]:
                del things[gone]
        is_quiet = not found or at - found[-1].at >= within
        if len(things) >= least and is_quiet:
            found.append(Burst(subject, at, len(things)))
    return found


def stuffing(attempts: Iterable[Attempt], *, table: Thresholds = THRESHOLDS) -> list[Burst]:
    """The networks from which passwords were tried on many accounts in a short time."""
    marks = ((one.network, one.at, one.account) for one in attempts if one.network)
    return crowds(marks, least=table.stuffing_least_accounts, within=table.stuffing_period)


def peak(times: Iterable[datetime], *, within: timedelta) -> Burst | None:
    """The fullest period, by the instant at which it was fullest; ``None`` of nothing."""
    best: Burst | None = None
    ordered = sorted(times)
    for place, at in enumerate(ordered):
        count = place + 1 - bisect_right(ordered, at - within)
        if best is None or count > best.count:
            best = Burst(EVERYWHERE, at, count)
    return best


def is_flood(failures: int, *, baseline: float, table: Thresholds = THRESHOLDS) -> bool:
    """Whether failures of all networks together are too many, at ``baseline`` in an ordinary period."""
    return failures >= table.stuffing_least_failures and failures > table.stuffing_over_baseline * baseline


def follows_failures(
    failures: Collection[datetime], *, signed_in_at: datetime, table: Thresholds = THRESHOLDS
) -> bool:
    """Whether a sign-in came after so many failures that somebody may have found the way in.

    A failure that seems to lie ahead, after the clock was set back, counts.
    """
    recent = [at for at in failures if signed_in_at - at < table.after_failures_period]
    return len(recent) >= table.after_failures_least


def is_drift(
    *,
    device: tuple[str, str],
    network: tuple[str, str],
    last_seen_at: datetime,
    now: datetime,
    table: Thresholds = THRESHOLDS,
) -> bool:
    """Whether a session changed both its browser and its network (before, now) within a short time.

    A phone that leaves its wireless network keeps its browser; a stolen cookie seldom does.
    """
    is_elsewhere = device[0] != device[1] and network[0] != network[1]
    return is_elsewhere and now - last_seen_at < table.drift_period


def is_dormant(last_active_at: datetime, *, now: datetime, table: Thresholds = THRESHOLDS) -> bool:
    """Whether an account was not signed in to for so long that its person may be gone."""
    return now - last_active_at > table.dormant_over


def takeover_at(
    changes: Sequence[Change], *, signed_in_at: datetime, table: Thresholds = THRESHOLDS
) -> datetime | None:
    """When changes after the sign-in of a new device became too many kinds, or ``None``."""
    kinds: set[str] = set()
    for change in sorted(changes, key=lambda change: change.at):
        if timedelta(0) <= change.at - signed_in_at < table.takeover_period:
            kinds.add(change.kind)
            if len(kinds) >= table.takeover_least_kinds:
                return change.at
    return None


_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


def window_of(at: datetime, *, within: timedelta) -> datetime:
    """The start of the period that ``at`` falls into, from a fixed instant on: a key, not a threshold."""
    return _BEGINNING + (at - _BEGINNING) // within * within

"""What is found by reading the log: a page at a time, each page in one transaction with how far it came.

Killed anywhere, the next sweep reads the page again; what it finds has a unique row, so nothing is lost and
nothing done twice. Rules look at the events' own clocks, never at the sweep's: a sweep that comes an hour
late finds the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.anomalies import emails, queries, rules
from accounts.anomalies.actions.findings import PORTAL, note
from accounts.anomalies.models import Anomaly, Progress
from accounts.anomalies.rules import THRESHOLDS, Rule
from accounts.identity import quarantine
from accounts.identity.access import require_system
from accounts.identity.models import User
from kellexa_portal.audit.models import Event
from kellexa_portal.core.actor import Actor

PAGE = 500


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one sweep did."""

    read: int
    found: int


def sweep(*, actor: Actor, now: datetime | None = None, page: int = PAGE) -> Sweep:
    """Reads what is new in the log and acts on what the rules find; does nothing while another one reads."""
    require_system(actor)
    now = now or timezone.now()
    Progress.objects.bulk_create([Progress()], ignore_conflicts=True)
    read = found = 0
    after: tuple[int, int] | None = None
    while True:
        with transaction.atomic():
            progress = Progress.objects.select_for_update(skip_locked=True).first()
            if progress is None:
                return Sweep(read, found)
            horizon = queries.horizon()
            _start_afresh_in_another_cluster(progress, horizon)
            events = queries.unread(progress, now=now, after=after, limit=page)
            found += _judge(events)
            is_last = len(events) < page
            if is_last or progress.read_through is not None:
                _advance(progress, horizon, through=None if is_last else events[-1].txid)
        read += len(events)
        if is_last:
            return Sweep(read, found)
        after = (events[-1].txid, events[-1].pk)


def _start_afresh_in_another_cluster(progress: Progress, horizon: queries.Horizon) -> None:
    """A restored database counts its transactions anew: the old number would hide everything for years."""
    is_foreign = progress.cluster != horizon.cluster
    if is_foreign or (progress.read_through is not None and progress.read_through > horizon.xmax):
        progress.read_through, progress.cluster = None, horizon.cluster


def _advance(progress: Progress, horizon: queries.Horizon, *, through: int | None) -> None:
    """Never beyond a transaction that may still write; what lies between is read again and found once."""
    progress.read_through = horizon.xmin if through is None else min(horizon.xmin, through)
    progress.save(update_fields=["read_through", "cluster"])


def _judge(events: Sequence[Event]) -> int:
    """How many anomalies the rules find around ``events``."""
    failed = [event for event in events if event.name == rules.LOGIN_FAILED]
    guessed = _by_person([event for event in events if event.name in rules.WRONG_CODES])
    changed = _by_person([event for event in events if event.name in rules.KIND_OF_CHANGE])
    people = queries.people_by_public_id({*guessed, *changed})
    found = _stuffing(failed) if failed else 0
    found += sum(_guesses(people[who], part) for who, part in guessed.items() if who in people)
    found += sum(_takeover(people[who], part) for who, part in changed.items() if who in people)
    return found


def _by_person(events: Sequence[Event]) -> dict[UUID, list[Event]]:
    parts: dict[UUID, list[Event]] = {}
    for event in events:
        person = queries.person_of(event)
        if person is not None:
            parts.setdefault(person, []).append(event)
    return parts


def _stuffing(failed: Sequence[Event]) -> int:
    """Many accounts from one network, or many failures from everywhere: staff see it, strangers slow down."""
    since, until = queries.span(failed, around=THRESHOLDS.stuffing_period)
    attempts = queries.attempts(since=since, until=until)
    found = [_flood(burst, "accounts") for burst in rules.stuffing(attempts)]
    everywhere = rules.peak([attempt.at for attempt in attempts], within=THRESHOLDS.stuffing_period)
    if everywhere is not None and everywhere.count >= THRESHOLDS.stuffing_least_failures:
        usual = queries.baseline(before=everywhere.at - THRESHOLDS.stuffing_period)
        if rules.is_flood(everywhere.count, baseline=usual):
            found.append(_flood(everywhere, "failures", usual=round(usual, 1)))
    return sum(found)


def _flood(burst: rules.Burst, counted: str, **more: float) -> bool:
    period = THRESHOLDS.stuffing_period
    if queries.was_told(Rule.STUFFING, burst.subject, at=burst.at, within=period):
        return False
    anomaly = note(
        Rule.STUFFING,
        subject=burst.subject,
        window=rules.window_of(burst.at, within=period),
        at=burst.at,
        action=Anomaly.Action.CHALLENGED,
        counts={counted: burst.count, **more},
    )
    return anomaly is not None


def _guesses(user: User, events: Sequence[Event]) -> int:
    """Wrong codes behind the right password; the mail went out with the third (``accounts.mfa``)."""
    period = THRESHOLDS.mfa_guess_period
    since, until = queries.span(events, around=period)
    times = queries.wrong_codes(user.public_id, since=since, until=until)
    subject, found = str(user.public_id), 0
    for burst in rules.bursts(subject, times, least=THRESHOLDS.mfa_guess_least, within=period):
        if queries.was_told(Rule.MFA_GUESS, subject, at=burst.at, within=period):
            continue
        anomaly = note(
            Rule.MFA_GUESS,
            subject=subject,
            window=rules.window_of(burst.at, within=period),
            at=burst.at,
            action=Anomaly.Action.TOLD,
            user=user,
            counts={"codes": burst.count},
        )
        found += anomaly is not None
    return found


def _takeover(user: User, events: Sequence[Event]) -> int:
    """A new device that soon changed several of what secures the account: quarantine, and a mail."""
    since, until = queries.span(events, around=THRESHOLDS.takeover_period)
    changes = None
    found = 0
    for signed_in_at, session_id in queries.new_device_sign_ins(user.public_id, since=since, until=until):
        if changes is None:
            changes = queries.changes(user.public_id, since=since, until=until)
        at = rules.takeover_at(changes, signed_in_at=signed_in_at)
        if at is None:
            continue
        anomaly = note(
            Rule.TAKEOVER,
            subject=session_id,
            window=signed_in_at,
            at=at,
            action=Anomaly.Action.QUARANTINED,
            user=user,
            session_id=UUID(session_id),
            counts={"minutes": round((at - signed_in_at).total_seconds() / 60, 1)},
        )
        if anomaly is not None:
            hours = round(THRESHOLDS.takeover_quarantine / rules.HOUR)
            quarantine.begin(user, actor=PORTAL, hours=hours, reason=Rule.TAKEOVER)
            emails.tell(anomaly=anomaly, user=user)
            found += 1
    return found

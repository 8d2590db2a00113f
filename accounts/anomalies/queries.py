"""Reads for the rules, each bounded by a period or a small number of rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.anomalies import rules
from accounts.anomalies.models import Anomaly, Progress
from accounts.anomalies.rules import THRESHOLDS, Attempt, Change
from accounts.identity.models import User
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream, StreamType
from kellexa_portal.audit.models import Event
from kellexa_portal.audit.queries import events_of
from kellexa_portal.web.client import limit_subject_of

_HORIZON = """
    SELECT cluster.id, pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
        pg_snapshot_xmax(pg_current_snapshot())::text::bigint
    FROM (SELECT system_identifier::text FROM pg_control_system()) AS cluster (id)
"""


@dataclass(frozen=True, slots=True)
class Horizon:
    """The database now: every transaction below ``xmin`` has ended, none has reached ``xmax``."""

    cluster: str
    xmin: int
    xmax: int


@dataclass(frozen=True, slots=True)
class History:
    """What a person's log says at a sign-in: the one before it, and the newest failures."""

    last_sign_in: datetime | None
    failures: list[datetime]


def horizon() -> Horizon:
    """Taken before the events are read: what it calls ended is then certainly seen."""
    with connection.cursor() as cursor:
        cursor.execute(_HORIZON)
        row = cursor.fetchone()
    assert row is not None
    return Horizon(*row)


def unread(progress: Progress, *, now: datetime, after: tuple[int, int] | None, limit: int) -> list[Event]:
    """The next watched events in commit order, from where ``progress`` stands or behind ``after``."""
    found = Event.objects.filter(name__in=rules.WATCHED)
    if progress.read_through is None:
        found = found.filter(at__gt=now - rules.LOOK_BACK)
    else:
        found = found.filter(txid__gte=progress.read_through)
    if after is not None:
        txid, pk = after
        found = found.filter(Q(txid__gt=txid) | Q(txid=txid, pk__gt=pk))
    return list(found.order_by("txid", "pk")[:limit])


def attempts(*, since: datetime, until: datetime) -> list[Attempt]:
    """Every failure at the password between the instants, of whoever.

    An attempt at an address without an account counts as one at an account of its own: the log keeps no
    trace of the address, and no address bears more than five from strangers before it is refused unheard.
    """
    rows = _failures(since=since, until=until).values_list("at", "personal__ip", "target_id", "pk")
    return [Attempt(at, _network(ip), target or f"unknown {pk}") for at, ip, target, pk in rows]


def baseline(*, before: datetime) -> float:
    """Failures at the password in an ordinary period, by the average of the days before ``before``."""
    since = before - THRESHOLDS.stuffing_baseline_period
    count = _failures(since=since, until=before).count()
    return count / (THRESHOLDS.stuffing_baseline_period / THRESHOLDS.stuffing_period)


def _failures(*, since: datetime, until: datetime) -> QuerySet[Event]:
    return Event.objects.filter(name=rules.LOGIN_FAILED, at__gt=since, at__lt=until)


def _network(ip: str | None) -> str:
    return limit_subject_of(ip) if ip else ""


def wrong_codes(person: UUID, *, since: datetime, until: datetime) -> list[datetime]:
    """When wrong codes were typed behind the person's right password; those of a step-up have a session."""
    events = events_of(Stream.user(person)).filter(name__in=rules.WRONG_CODES, session_id="")
    return list(events.filter(at__gt=since, at__lt=until).values_list("at", flat=True))


def changes(person: UUID, *, since: datetime, until: datetime) -> list[Change]:
    """What the person changed of what secures the account, in whichever log it stands."""
    events = Event.objects.filter(actor_id=str(person), name__in=rules.KIND_OF_CHANGE.keys())
    rows = events.filter(at__gte=since, at__lt=until).values_list("at", "name")
    return [Change(at, rules.KIND_OF_CHANGE[name]) for at, name in rows]


def new_device_sign_ins(person: UUID, *, since: datetime, until: datetime) -> list[tuple[datetime, str]]:
    """When and in which session the person signed in with a new device; never the first sign-in of all."""
    events = events_of(Stream.user(person)).filter(name=rules.LOGIN_SUCCEEDED)
    first = events.order_by("pk").values("pk")[:1]
    found = events.filter(at__gt=since, at__lt=until, changes__new_device=True)
    return list(found.exclude(pk__in=first).order_by("pk").values_list("at", "target_id"))


def history_of(session: AccountSession) -> History:
    """What a person's log says of before ``session``: one statement, however long the log."""
    log = events_of(Stream.user(session.user.public_id)).select_related(None)
    before = log.filter(name=rules.LOGIN_SUCCEEDED).exclude(target_id=str(session.public_id))
    failed = [
        _newest(log.filter(name=name, session_id=""), THRESHOLDS.after_failures_least)
        for name in sorted(rules.FAILURES)
    ]
    rows = list(_newest(before, 1).union(*failed, all=True))
    sign_ins = [at for name, at in rows if name == rules.LOGIN_SUCCEEDED]
    return History(
        last_sign_in=max(sign_ins, default=None),
        failures=[at for name, at in rows if name != rules.LOGIN_SUCCEEDED],
    )


def _newest(events: QuerySet[Event], count: int) -> Any:
    return events.order_by("-pk").values_list("name", "at")[:count]


def last_seen_elsewhere(session: AccountSession) -> tuple[str, datetime] | None:
    """The network and instant of the person's last visit in another session."""
    others = AccountSession.objects.filter(user=session.user_id).exclude(pk=session.pk).exclude(ip_prefix="")
    return others.order_by("-last_seen_at").values_list("ip_prefix", "last_seen_at").first()


def people_by_public_id(ids: Iterable[UUID]) -> dict[UUID, User]:
    return {user.public_id: user for user in User.objects.filter(public_id__in=set(ids))}


def person_of(event: Event) -> UUID | None:
    """Whose doing or whose account an event is about; ``None`` for nobody's."""
    if event.stream_type == StreamType.USER:
        return event.stream_id
    try:
        return UUID(event.actor_id)
    except ValueError:
        return None


def was_told(rule: rules.Rule, subject: str, *, at: datetime, within: timedelta) -> bool:
    """Whether the rule found the same around ``at`` already."""
    near = Anomaly.objects.filter(rule=rule, subject=subject, at__gt=at - within, at__lt=at + within)
    return near.exists()


def is_challenged(network: str) -> bool:
    """Whether passwords were tried on many accounts lately, from ``network`` or from everywhere."""
    now = timezone.now()
    lately = Anomaly.objects.filter(
        at__gt=now - THRESHOLDS.challenge_for, at__lt=now + THRESHOLDS.challenge_for
    )
    return lately.filter(rule=rules.Rule.STUFFING, subject__in=(network, rules.EVERYWHERE)).exists()


def span(events: Collection[Event], *, around: timedelta) -> tuple[datetime, datetime]:
    """From before the earliest to behind the latest of ``events``, by their own clocks."""
    times = [event.at for event in events]
    return min(times) - around, max(times) + around

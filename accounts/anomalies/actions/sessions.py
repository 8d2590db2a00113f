"""What is judged at once: a sign-in, and a session that moves."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.anomalies import emails, places, queries, rules
from accounts.anomalies.actions.findings import PORTAL, note
from accounts.anomalies.models import Anomaly
from accounts.anomalies.rules import Rule
from accounts.sessions.actions import end_session, require_fresh_proof
from accounts.sessions.models import AccountSession
from kellexa_portal.core import context


def judge_sign_in(*, session: AccountSession, is_new_device: bool) -> list[Anomaly]:
    """Asks what is odd about a sign-in, inside its transaction, and answers what was.

    For each finding the person is mailed, and the session has to show a factor again before anything that
    asks for one.
    """
    now = session.started_at
    with transaction.atomic():
        history = queries.history_of(session)
        found = [
            _after_failures(session, history, now=now),
            _dormant(session, history, now=now),
            _travel(session, now=now) if is_new_device else None,
        ]
        odd = [anomaly for anomaly in found if anomaly is not None]
        if odd:
            require_fresh_proof(session=session)
        for anomaly in odd:
            emails.tell(anomaly=anomaly, user=session.user, session=session)
    return odd


def _note(
    rule: Rule,
    session: AccountSession,
    *,
    now: datetime,
    counts: dict[str, float],
    named: dict[str, str] | None = None,
    action: Anomaly.Action = Anomaly.Action.PROOF,
) -> Anomaly | None:
    return note(
        rule,
        subject=str(session.public_id),
        window=session.started_at,
        at=now,
        action=action,
        user=session.user,
        session_id=session.public_id,
        counts=counts,
        places=named,
    )


def _after_failures(session: AccountSession, history: queries.History, *, now: datetime) -> Anomaly | None:
    if not rules.follows_failures(history.failures, signed_in_at=now):
        return None
    least = rules.THRESHOLDS.after_failures_least
    return _note(Rule.AFTER_FAILURES, session, now=now, counts={"failures_at_least": least})


def _dormant(session: AccountSession, history: queries.History, *, now: datetime) -> Anomaly | None:
    last = history.last_sign_in or session.user.created_at
    if not rules.is_dormant(last, now=now):
        return None
    return _note(Rule.DORMANT, session, now=now, counts={"days": (now - last).days})


def _travel(session: AccountSession, *, now: datetime) -> Anomaly | None:
    if not places.is_known_at_all():
        return None
    before = queries.last_seen_elsewhere(session)
    here = places.place_of(context.current().ip)
    there = places.place_of(before[0]) if before else None
    if before is None or here is None or there is None:
        return None
    then = rules.Sighting(there.latitude, there.longitude, there.radius_km, before[1])
    arrived = rules.Sighting(here.latitude, here.longitude, here.radius_km, now)
    if not rules.is_travel(then, arrived):
        return None
    hours = round((now - before[1]) / rules.HOUR, 2)
    counts = {"km": round(rules.certain_km(then, arrived)), "hours": hours}
    return _note(Rule.TRAVEL, session, now=now, counts=counts, named={"from": there.name, "to": here.name})


def judge_move(*, session: AccountSession, device: str, ip_prefix: str) -> bool:
    """Ends a session that changed its browser and its network within minutes; whether it did.

    ``device`` and ``ip_prefix`` are the request's, as sessions keep them.
    """
    now = timezone.now()
    if not rules.is_drift(
        device=(session.device, device),
        network=(places.network_of(session.ip_prefix), places.network_of(ip_prefix)),
        last_seen_at=session.last_seen_at,
        now=now,
    ):
        return False
    with transaction.atomic():
        if not end_session(session=session, actor=PORTAL, reason=AccountSession.EndReason.EPOCH):
            return False
        anomaly = _note(Rule.DRIFT, session, now=now, counts={}, action=Anomaly.Action.ENDED)
        if anomaly is not None:
            emails.tell(anomaly=anomaly, user=session.user, session=session)
    return True

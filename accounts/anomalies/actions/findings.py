"""One finding: a row, its evidence, and whether it is new."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from accounts.anomalies import rules
from accounts.anomalies.events import event_of
from accounts.anomalies.models import Anomaly
from accounts.identity.access import require_system
from accounts.identity.models import User
from kellexa_portal.audit import Stream, Target, record
from kellexa_portal.core.actor import Actor

PORTAL = Actor.system("anomalies")


def note(
    rule: rules.Rule,
    *,
    subject: str,
    window: datetime,
    at: datetime,
    action: Anomaly.Action,
    user: User | None = None,
    session_id: UUID | None = None,
    counts: Mapping[str, float] | None = None,
    places: Mapping[str, str] | None = None,
) -> Anomaly | None:
    """The new anomaly, on record; ``None`` where the same was found before.

    The unique row decides, so of two workers one acts. ``counts`` go into the evidence too; ``places`` (and
    the network in ``subject``) say where somebody was and stay in the row, which is forgotten one day.
    Inside the transaction of what is done about it.
    """
    counts, places = dict(counts or {}), dict(places or {})
    row = Anomaly(
        rule=rule,
        user=user,
        session_id_shown=session_id,
        subject=subject,
        window=window,
        at=at,
        facts={**counts, **places},
        action=action,
    )
    Anomaly.objects.bulk_create([row], ignore_conflicts=True)
    made = Anomaly.objects.filter(public_id=row.public_id).first()
    if made is None:
        return None
    record(
        event_of(rule),
        actor=PORTAL,
        stream=Stream.user(user.public_id) if user else Stream.staff(),
        target=Target("anomaly", str(made.public_id)),
        reason=action.value,
        changes={**counts, "at": at.isoformat(), "session": str(session_id) if session_id else ""},
    )
    return made


def forget_old(*, actor: Actor, now: datetime) -> int:
    """Removes old findings, which say where people were; the evidence stays, and names no place."""
    require_system(actor)
    return Anomaly.objects.filter(at__lt=now - rules.KEEP_FOR).delete()[0]

"""What the clock moves on: waits that are over, cases and links that ran out of time.

One transaction a case. Killed anywhere, the next sweep finds what is still due; the mail and the state that
says so are written together, so nothing is mailed twice.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.identity import tokens
from accounts.identity.access import require_system
from accounts.identity.models import User
from accounts.recovery import emails, queries
from accounts.recovery.actions.evidence import PORTAL, note
from accounts.recovery.actions.stopping import end, expire_if_over
from accounts.recovery.events import RecoveryEvent
from accounts.recovery.models import RecoveryCase
from kellexa_portal.core.actor import Actor

State = RecoveryCase.State
Cause = RecoveryCase.Cause


def sweep(*, actor: Actor, now: datetime | None = None) -> int:
    """Moves on every case that is due and that nobody holds; answers how many."""
    require_system(actor)
    now = now or timezone.now()
    due = RecoveryCase.objects.due(now).order_by("pk").values_list("pk", "user_id")
    return sum(_move_on(pk, user_id, now) for pk, user_id in list(due))


def _move_on(pk: int, user_id: int, now: datetime) -> bool:
    with transaction.atomic():
        account = User.objects.select_for_update(skip_locked=True).filter(pk=user_id).first()
        if account is None:
            return False
        case = RecoveryCase.objects.due(now).select_for_update(skip_locked=True).filter(pk=pk).first()
        if case is None:
            return False
        case.user = account
        if expire_if_over(case, now=now):
            return True
        cause = why_not_now(case)
        if cause is not None:
            end(case, actor=PORTAL, state=State.CANCELLED, cause=cause)
            return True
        _make_ready(case, now)
    return True


def why_not_now(case: RecoveryCase) -> RecoveryCase.Cause | None:
    """Why a case that was approved and has waited must not go on: what was true then no longer is."""
    if not case.user.is_active:
        return Cause.INACTIVE
    return None if queries.is_upheld(case) else Cause.STANDING


def _make_ready(case: RecoveryCase, now: datetime) -> None:
    token = tokens.new()
    case.state, case.ready_at, case.link_hash = State.READY, now, tokens.digest(token)
    case.save(update_fields=["state", "ready_at", "link_hash"])
    note(RecoveryEvent.READY, actor=PORTAL, case=case)
    emails.ready(case=case)
    emails.way_back(case=case, token=token)

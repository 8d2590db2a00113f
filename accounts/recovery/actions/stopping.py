"""How a recovery ends without one: by its person, by staff, by the portal. Stopping is always safe."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.identity import access as people
from accounts.identity.models import User
from accounts.recovery import access, emails, queries
from accounts.recovery.actions import errors
from accounts.recovery.actions.evidence import PORTAL, lock, note, note_dead_link
from accounts.recovery.events import RecoveryEvent
from accounts.recovery.models import RecoveryCase
from kellexa_portal.core.actor import Actor, ActorType

State = RecoveryCase.State
Cause = RecoveryCase.Cause
EVENTS = {
    State.CANCELLED: RecoveryEvent.CANCELLED,
    State.REFUSED: RecoveryEvent.REFUSED,
    State.EXPIRED: RecoveryEvent.EXPIRED,
}


def cancel(*, actor: Actor, user: User) -> RecoveryCase:
    """Cancels the recovery of their own account for somebody signed in; no step-up is asked.

    Raises ``NotPermittedError`` for anybody else and ``NothingToCancelError``.
    """
    people.require_oneself(actor, user)
    with transaction.atomic():
        found = queries.unfinished_of(user)
        case = lock(found) if found is not None else None
        if case is None or not case.is_unfinished:
            raise errors.NothingToCancelError
        return end(case, actor=actor, state=State.CANCELLED, cause=Cause.OWNER)


def cancel_by_link(*, token: str) -> bool:
    """Cancels the one recovery that the link was mailed about; ``False`` when it had ended before.

    Whoever holds the link acts, signed in or not. Raises ``LinkDeadError``, which is on record.
    """
    found = queries.link_to_cancel(token)
    if found is None:
        note_dead_link(token=token)
        raise errors.LinkDeadError
    with transaction.atomic():
        case = lock(found.case)
        if not case.is_unfinished or expire_if_over(case, now=timezone.now()):
            return False
        end(case, actor=Actor.anonymous(), state=State.CANCELLED, cause=Cause.LINK)
    return True


def refuse(*, actor: Actor, case: RecoveryCase) -> RecoveryCase:
    """Ends a case at the word of staff, at any time before its link is used, without a step-up.

    Raises ``NotPermittedError``, and ``NotDueError`` for a case that has ended.
    """
    access.require_stopper(actor)
    with transaction.atomic():
        locked = lock(case)
        if not locked.is_unfinished:
            raise errors.NotDueError
        return end(locked, actor=actor, state=State.REFUSED, cause=Cause.STAFF)


def stop_for(*, user: User, cause: RecoveryCase.Cause) -> None:
    """Cancels what is under way for ``user`` because of ``cause``; joins the transaction of the cause."""
    with transaction.atomic():
        found = RecoveryCase.objects.unfinished().filter(user=user).first()
        case = lock(found) if found is not None else None
        if case is not None and case.is_unfinished:
            end(case, actor=PORTAL, state=State.CANCELLED, cause=cause)


def stop_unless_upheld(*, case: RecoveryCase) -> bool:
    """Cancels a case when somebody who asked for it or approved it no longer may; whether it did."""
    with transaction.atomic():
        locked = lock(case)
        if not locked.is_unfinished or queries.is_upheld(locked):
            return False
        end(locked, actor=PORTAL, state=State.CANCELLED, cause=Cause.STANDING)
    return True


def expire_if_over(case: RecoveryCase, *, now: datetime) -> bool:
    """Writes down that the clock has ended the locked ``case``; whether it has."""
    if not case.is_unfinished or not case.is_expired(now):
        return False
    end(case, actor=PORTAL, state=State.EXPIRED, cause=Cause.TIME)
    return True


def end(
    case: RecoveryCase, *, actor: Actor, state: RecoveryCase.State, cause: RecoveryCase.Cause
) -> RecoveryCase:
    """Ends the locked ``case`` and tells every address."""
    case.state, case.cause, case.ended_at = state, cause, timezone.now()
    if actor.type in {ActorType.PERSON, ActorType.STAFF}:
        case.ended_by = User.objects.get(public_id=actor.id)
    case.save()
    note(EVENTS[state], actor=actor, case=case, reason=str(cause))
    emails.stopped(case=case, event=EVENTS[state])
    return case

"""What staff do for a recovery: one asks, two others approve. None of them gets a link or a password."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.identity import queries as people
from accounts.identity.access import is_oneself
from accounts.identity.models import User
from accounts.recovery import access, emails, limits, queries, rules
from accounts.recovery.actions import errors
from accounts.recovery.actions.evidence import deny, lock, note
from accounts.recovery.actions.stopping import expire_if_over
from accounts.recovery.events import RecoveryEvent
from accounts.recovery.models import RecoveryCase
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError
from kellexa_portal.ratelimit import raise_if_spent

State = RecoveryCase.State


def start(*, actor: Actor, user: User, evidence: str) -> RecoveryCase:
    """Opens a case for ``user``, recognised as ``evidence`` says; every address is told.

    A locked account can be recovered: who has locked it and lost every factor has no other way back, and
    the lock-down stays. Raises ``NotPermittedError``, ``OwnAccountError``, ``CannotBeRecoveredError``,
    ``AlreadyUnderWayError`` or ``TooManyAttempts``; all but the first are on record.
    """
    access.require_starter(actor)
    if is_oneself(actor, user):
        raise deny(errors.OwnAccountError(), actor=actor, user=user)
    raise_if_spent(limits.STARTS_BY_STAFF, actor.id)
    with transaction.atomic():
        account = User.objects.select_for_update().get(pk=user.pk)
        known = RecoveryCase.objects.unfinished().filter(user=account).first()
        if known is not None and expire_if_over(lock(known), now=timezone.now()):
            known = None
        refusal = _why_not_start(account, known)
        if refusal is None:
            case = RecoveryCase.objects.create(
                user=account,
                evidence=evidence,
                started_by=User.objects.get(public_id=actor.id),
                started_at=timezone.now(),
            )
            note(RecoveryEvent.STARTED, actor=actor, case=case)
            emails.started(case=case)
    if refusal is not None:
        raise deny(refusal, actor=actor, user=user)
    return case


def _why_not_start(account: User, known: RecoveryCase | None) -> DomainError | None:
    if not account.is_active or not people.verified_addresses(account):
        return errors.CannotBeRecoveredError()
    return errors.AlreadyUnderWayError() if known is not None else None


def approve(*, actor: Actor, case: RecoveryCase) -> RecoveryCase:
    """Adds the approval of ``actor``; the second one begins the wait. Every address is told of each.

    The caller spends a step-up for exactly this in the same transaction. Raises ``NotPermittedError``,
    ``OwnAccountError``, ``OwnRequestError``, ``ApprovedBeforeError``, ``NotDueError`` or
    ``NoLongerUpheldError``, after which the caller ends the case by ``stop_unless_upheld``: what is raised
    here rolls back. All but the first are on record.
    """
    access.require_approver(actor)
    with transaction.atomic():
        locked = lock(case)
        now = timezone.now()
        refusal = _why_not_approve(actor, locked, now)
        if refusal is None:
            _add_approval(actor, locked, now)
    if refusal is not None:
        raise deny(refusal, actor=actor, user=locked.user)
    return locked


def _why_not_approve(actor: Actor, case: RecoveryCase, now: datetime) -> DomainError | None:
    approver = User.objects.get(public_id=actor.id)
    if approver.pk == case.user_id:
        return errors.OwnAccountError()
    if approver.pk == case.started_by_id:
        return errors.OwnRequestError()
    if approver.pk in {case.first_approver_id, case.second_approver_id}:
        return errors.ApprovedBeforeError()
    if case.state != State.OPEN or case.is_expired(now) or not case.user.is_active:
        return errors.NotDueError()
    return None if queries.is_upheld(case) else errors.NoLongerUpheldError()


def _add_approval(actor: Actor, case: RecoveryCase, now: datetime) -> None:
    approver = User.objects.get(public_id=actor.id)
    at = rules.later(now, case.started_at, case.first_approved_at)
    if case.first_approver_id is None:
        case.first_approver, case.first_approved_at = approver, at
    else:
        case.second_approver, case.second_approved_at = approver, at
        case.waits_until, case.state = at + rules.WAIT, State.WAITING
    case.save()
    changes: dict[str, object] = {"approvals": case.approvals}
    if case.waits_until is not None:
        changes["waits_until"] = case.waits_until.isoformat()
    note(RecoveryEvent.APPROVED, actor=actor, case=case, changes=changes)
    emails.approved(case=case)

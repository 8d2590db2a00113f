"""The end of a recovery: the link that only the account's own address got takes the lost factors away."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.identity import quarantine
from accounts.identity.actions.passwords import issue_reset
from accounts.identity.models import PasswordReset, PendingSignIn, User
from accounts.identity.rules import RESET_LIFETIME
from accounts.mfa.actions.loss import forget_factors
from accounts.recovery import emails, queries
from accounts.recovery.actions.errors import LinkDeadError
from accounts.recovery.actions.evidence import PORTAL, lock, note, note_dead_link
from accounts.recovery.actions.stopping import end, expire_if_over
from accounts.recovery.actions.sweeping import why_not_now
from accounts.recovery.events import RecoveryEvent
from accounts.recovery.models import RecoveryCase
from accounts.sessions.actions import end_sessions, raise_epoch
from accounts.sessions.models import AccountSession
from kellexa_portal.core.actor import Actor

State = RecoveryCase.State


def is_usable(case: RecoveryCase | None) -> bool:
    """Whether the link of ``case`` would work now; asks what ``finish`` asks and changes nothing."""
    if case is None or case.state != State.READY or case.waits_until is None:
        return False
    now = timezone.now()
    return now >= case.waits_until and not case.is_expired(now) and why_not_now(case) is None


def finish(*, token: str) -> RecoveryCase:
    """Makes the account one without factors and without a password, once, and mails the way to a new one.

    Every session, half sign-in, mailed link and known browser ends; a quarantine begins. API keys go on
    working: nobody says that somebody else had the account. A lock-down stays. Raises ``LinkDeadError``,
    which is on record.
    """
    found = queries.case_behind(token)
    if found is not None:
        with transaction.atomic():
            case = lock(found)
            if is_usable(case):
                _recover(case)
                return case
            _end_what_must_not_go_on(case)
    note_dead_link(token=token)
    raise LinkDeadError


def _end_what_must_not_go_on(case: RecoveryCase) -> None:
    """Writes down why the link of a case that was ready is dead."""
    if case.state != State.READY or expire_if_over(case, now=timezone.now()):
        return
    cause = why_not_now(case)
    if cause is not None:
        end(case, actor=PORTAL, state=State.CANCELLED, cause=cause)


def _recover(case: RecoveryCase) -> None:
    account, now = case.user, timezone.now()
    case.state, case.ended_at = State.USED, now
    case.save(update_fields=["state", "ended_at"])
    removed = forget_factors(actor=PORTAL, user=account)
    _take_password(account)
    note(
        RecoveryEvent.COMPLETED,
        actor=Actor.anonymous(),
        case=case,
        changes={"factors": list(removed)} if removed else {},
    )
    quarantine.begin(account, actor=PORTAL, reason="recovery")
    emails.recovered(case=case)
    reset, token = issue_reset(user=account, lifetime=RESET_LIFETIME)
    emails.new_password(case=case, reset=reset, token=token)


def _take_password(account: User) -> None:
    """Leaves a password that nobody knows, staff least of all, and ends what the old one opened."""
    account.set_unusable_password()
    account.save(update_fields=["password"])
    raise_epoch(user=account)
    PendingSignIn.objects.filter(user=account).delete()
    PasswordReset.objects.filter(user=account, spent_at=None).update(spent_at=timezone.now())
    end_sessions(user=account, actor=PORTAL, reason=AccountSession.EndReason.EPOCH)

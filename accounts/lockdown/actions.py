"""Every write of a lock-down: the links, the alarm, the way back, and the staff's case."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.credentials.actions import resume_keys, suspend_keys_of
from accounts.credentials.models import ApiKey
from accounts.identity import access as people
from accounts.identity import limits, signals, tokens
from accounts.identity.models import PasswordReset, PendingSignIn, User
from accounts.lockdown import access, emails, queries, rules
from accounts.lockdown.events import LockdownEvent
from accounts.lockdown.models import DisavowalLink, Lockdown
from accounts.sessions.actions import end_sessions, raise_epoch
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Outcome, Stream, Target, record, record_independently
from kellexa_portal.audit.catalogue import AuditEvent
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault
from kellexa_portal.ratelimit import spend
from kellexa_portal.web.links import absolute

PORTAL = Actor.system("lockdown")
Cause = Lockdown.Cause


class LinkDeadError(DomainError):
    """The link has expired or never existed."""

    code = "account.lockdown.link_dead"
    fault = Fault.NOT_FOUND
    message = _("This link no longer works.")


class NotLockedDownError(DomainError):
    """There is nothing to lift: another request was quicker, or nobody ever locked."""

    code = "account.lockdown.not_locked"
    fault = Fault.CONFLICT
    message = _("This account is not locked down.")


class StillLockedDownError(DomainError):
    """Keys come back after the lock-down or with it, never before it is lifted."""

    code = "account.lockdown.still_locked"
    fault = Fault.CONFLICT
    message = _("Your account is still locked down. Lift the lock-down first.")


class RecoveredLatelyError(DomainError):
    """Somebody came in with a recovery code: whoever stole the codes must not undo the lock-down too."""

    code = "account.lockdown.quarantine"
    fault = Fault.CONFLICT
    message = _(
        "A recovery code was used to sign in, or the account recovered, within the last 24 hours. For your "
        "safety the lock-down can be lifted only after that."
    )


@dataclass(frozen=True, slots=True)
class Lifted:
    """What became of lifting: the lock-down, and the keys that work again."""

    lockdown: Lockdown
    resumed: list[ApiKey]


def make_link(*, user: User, event: AuditEvent) -> str:
    """The address of a new link by which ``user`` disowns ``event``; its token is nowhere else.

    Inside the transaction of the event that the notice tells.
    """
    token = tokens.new()
    DisavowalLink.objects.create(
        user=user,
        event=str(event),
        token_hash=tokens.digest(token),
        expires_at=timezone.now() + rules.LINK_LIFETIME,
    )
    return absolute("lockdown:link", token=token)


def follow_link(*, token: str) -> Lockdown | None:
    """Locks down the account of whom the link was mailed to, once; ``None`` when the link did so before.

    Whoever holds the link acts, signed in or not, and reaches no account but that one. Raises
    ``LinkDeadError``, which is on record.
    """
    found = queries.link_of(token)
    if found is None:
        note_dead_link(token=token)
        raise LinkDeadError
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=found.user_id)
        link = DisavowalLink.objects.select_for_update().get(pk=found.pk)
        now = timezone.now()
        if link.spent_at is not None:
            return None
        if link.expires_at > now:
            link.spent_at = now
            link.save(update_fields=["spent_at"])
            return _lock(user, actor=Actor.anonymous(), cause=Cause.MAIL_LINK, event=link.event, now=now)
    note_dead_link(token=token)
    raise LinkDeadError


def raise_alarm(*, actor: Actor, user: User) -> Lockdown:
    """Locks the account of ``user`` down at the word of its person or of staff; a step-up is never asked.

    Raises ``NotPermittedError``.
    """
    access.require_alarm(actor, user)
    cause = Cause.PAGE if people.is_oneself(actor, user) else Cause.STAFF
    with transaction.atomic():
        account = User.objects.select_for_update().get(pk=user.pk)
        return _lock(account, actor=actor, cause=cause, event="", now=timezone.now())


def _lock(user: User, *, actor: Actor, cause: Lockdown.Cause, event: str, now: datetime) -> Lockdown:
    """Stops all that acts for ``user``, whose row is locked.

    Done again while the account is locked, it stops what was opened since, and the password has to be
    chosen anew; it stays one lock-down with one mail and one case.
    """
    known = queries.open_lockdown_of(user)
    lockdown = known or Lockdown(user=user, cause=cause, event=event, started_at=now)
    user.locked_at = now
    user.save(update_fields=["locked_at"])
    raise_epoch(user=user)
    PendingSignIn.objects.filter(user=user).delete()
    PasswordReset.objects.filter(user=user, spent_at=None).update(spent_at=now)
    lockdown.sessions_ended += end_sessions(user=user, actor=PORTAL, reason=AccountSession.EndReason.EPOCH)
    keys = suspend_keys_of(actor=PORTAL, owner=user, cause=ApiKey.SuspendCause.LOCKDOWN)
    lockdown.keys_suspended += len(keys)
    if known is not None:
        lockdown.repeated_at = now
    lockdown.save()
    signals.locked_down.send(sender=Lockdown, user=user, actor=actor, lockdown=lockdown.public_id)
    _record(
        LockdownEvent.REPEATED if known else LockdownEvent.BEGUN,
        actor=actor,
        lockdown=lockdown,
        reason=str(cause),
        changes={"disowned": event} if event else {},
    )
    emails.locked_down(lockdown=lockdown, user=user)
    if known is None:
        for worker in queries.case_workers():
            emails.case_opened(lockdown=lockdown, to=worker)
    return lockdown


def lift(*, actor: Actor, user: User, key_ids: Collection[str]) -> Lifted:
    """Opens the account again for its person, with those of its suspended keys that they chose.

    The caller spends a step-up for exactly this in the same transaction. Keys that expired or were revoked
    meanwhile stay ended, those not chosen stay suspended. Raises ``NotPermittedError``,
    ``NotLockedDownError`` and ``RecoveredLatelyError``.
    """
    people.require_oneself(actor, user)
    with transaction.atomic():
        account = User.objects.select_for_update().get(pk=user.pk)
        lockdown = queries.open_lockdown_of(account)
        if lockdown is None or account.needs_new_password:
            raise NotLockedDownError
        _require_no_recovery(actor, account)
        now = timezone.now()
        account.locked_at = None
        account.save(update_fields=["locked_at"])
        lockdown.lifted_at, lockdown.lifted_by = now, account
        lockdown.save(update_fields=["lifted_at", "lifted_by"])
        resumed = resume_keys(actor=actor, owner=account, key_ids=key_ids)
        signals.lockdown_lifted.send(sender=Lockdown, user=account, actor=actor, lockdown=lockdown.public_id)
        _record(
            LockdownEvent.LIFTED,
            actor=actor,
            lockdown=lockdown,
            changes={"keys": " ".join(key.key_id for key in resumed)} if resumed else {},
        )
        emails.lifted(lockdown=lockdown, user=account, resumed=len(resumed))
    return Lifted(lockdown, resumed)


def bring_keys_back(*, actor: Actor, user: User, key_ids: Collection[str]) -> list[ApiKey]:
    """Brings back keys that stayed suspended when the lock-down was lifted; answers those that work again.

    The caller spends a step-up for exactly this in the same transaction. Raises ``NotPermittedError``,
    ``StillLockedDownError`` and ``RecoveredLatelyError``.
    """
    people.require_oneself(actor, user)
    with transaction.atomic():
        account = User.objects.select_for_update().get(pk=user.pk)
        if account.locked_at is not None:
            raise StillLockedDownError
        _require_no_recovery(actor, account)
        return resume_keys(actor=actor, owner=account, key_ids=key_ids)


def close_case(*, actor: Actor, lockdown: Lockdown) -> bool:
    """Notes that staff are done with a lock-down; ``False`` when they were before. It lets nobody in."""
    access.require_case_worker(actor)
    with transaction.atomic():
        case = Lockdown.objects.select_for_update(of=("self",)).select_related("user").get(pk=lockdown.pk)
        if case.case_closed_at is not None:
            return False
        case.case_closed_at = timezone.now()
        case.case_closed_by = User.objects.get(public_id=actor.id)
        case.save(update_fields=["case_closed_at", "case_closed_by"])
        _record(LockdownEvent.CASE_CLOSED, actor=actor, lockdown=case)
    return True


def forget_old_links(*, actor: Actor, now: datetime) -> int:
    """Removes links that have long been worthless; expiry is checked at use."""
    people.require_system(actor)
    return DisavowalLink.objects.filter(expires_at__lt=now - rules.KEEP_LINKS_FOR).delete()[0]


def note_dead_link(*, token: str) -> None:
    """Puts on record that a link which does not work was opened, for the account it once belonged to.

    Once a period and network: links can be made up by the thousand, and must not fill the evidence.
    """
    if not spend(limits.DENIAL_ON_RECORD, f"lockdown:{limits.network()}").allowed:
        return
    former = queries.link_of(token)
    record_independently(
        LockdownEvent.LINK_REFUSED,
        actor=Actor.anonymous(),
        stream=Stream.user(former.user.public_id) if former else Stream.system(),
        target=Target("user", str(former.user.public_id)) if former else None,
        outcome=Outcome.DENIED,
        reason=LinkDeadError.code,
    )


def _require_no_recovery(actor: Actor, user: User) -> None:
    if not queries.recovered_lately(user):
        return
    record_independently(
        LockdownEvent.LIFT_DENIED,
        actor=actor,
        stream=Stream.user(user.public_id),
        target=Target("user", str(user.public_id)),
        outcome=Outcome.DENIED,
        reason=RecoveredLatelyError.code,
    )
    raise RecoveredLatelyError


def _record(
    event: LockdownEvent,
    *,
    actor: Actor,
    lockdown: Lockdown,
    reason: str = "",
    changes: dict[str, object] | None = None,
) -> None:
    record(
        event,
        actor=actor,
        stream=Stream.user(lockdown.user.public_id),
        target=Target("lockdown", str(lockdown.public_id)),
        reason=reason,
        changes=changes,
    )

"""Changing a password by its owner, and resetting it by a mailed link."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identity import access, emails, limits, passwords, queries, rules, signals, tokens
from accounts.identity.events import IdentityEvent
from accounts.identity.models import PasswordReset, PendingSignIn, User
from kellexa_portal.audit import Outcome, Stream, Target, record, record_independently
from kellexa_portal.core import jobs
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault
from kellexa_portal.ratelimit import clear, raise_if_spent, refund, spend


class CurrentPasswordWrongError(DomainError):
    """The current password was asked for and another given."""

    code = "accounts.password.wrong"
    fault = Fault.INVALID
    message = _("This isn’t your current password.")


class SamePasswordError(DomainError):
    """The new password is the present one, which whoever made this reset necessary may know."""

    code = "accounts.password.same"
    fault = Fault.INVALID
    message = _("Choose a password that differs from the current one.")


class ResetLinkDeadError(DomainError):
    """The link was used, has expired, never existed, or the account was secured since."""

    code = "accounts.password.link_dead"
    fault = Fault.NOT_FOUND
    message = _("This link no longer works.")


def change_password(*, actor: Actor, user: User, current: str, new: str, session_key: str) -> User:
    """Replaces the password of ``user``, who proves the current one; every other session ends.

    The epoch rises, so half sign-ins, reset links and known browsers of the old password die with it; the
    session behind ``session_key`` is carried over by the receiver. ``new`` has passed ``passwords.validate``.
    Raises ``NotPermittedError`` for anybody else, ``CurrentPasswordWrongError`` and, after five tries,
    ``TooManyAttempts``.
    """
    access.require_oneself(actor, user)
    raise_if_spent(limits.CURRENT_PASSWORD, str(user.public_id))
    if not passwords.proves(user, current):
        record_independently(
            IdentityEvent.PASSWORD_CHANGE_FAILED,
            actor=actor,
            stream=Stream.user(user.public_id),
            target=Target("user", str(user.public_id)),
            outcome=Outcome.FAILURE,
            reason=CurrentPasswordWrongError.code,
        )
        raise CurrentPasswordWrongError
    refund(limits.CURRENT_PASSWORD, str(user.public_id))
    hashed = passwords.make(new)
    with transaction.atomic():
        account = User.objects.select_for_update().get(pk=user.pk)
        if account.password != user.password or not account.is_active:
            raise CurrentPasswordWrongError
        _replace(account, hashed)
        record(
            IdentityEvent.PASSWORD_CHANGED,
            actor=actor,
            stream=Stream.user(account.public_id),
            target=Target("user", str(account.public_id)),
        )
        signals.password_changed.send(sender=User, user=account, actor=actor, request_session_key=session_key)
        emails.password_changed(user=account, was_reset=False)
    return account


def request_reset(*, actor: Actor, email: str) -> None:
    """Mails a link to the stored address of the active account, if there is one; the answer never tells.

    The mail goes to the address of the account, never to what was typed (CVE-2019-19844, CVE-2023-7028).
    Without an account the same is rendered and thrown away, behind the same hash, so that time tells
    nothing either (case 30). Raises ``TooManyAttempts`` for a network that asks too often; an address that is
    asked for too often gets no further mail, and the asker is not told.
    """
    raise_if_spent(limits.RESET_BY_NETWORK, limits.network())
    passwords.make(tokens.new())
    may_mail = _may_mail(email)
    with transaction.atomic():
        known = queries.account_of(email)
        record(
            IdentityEvent.RESET_REQUESTED,
            actor=actor,
            stream=Stream.user(known.public_id) if known else Stream.system(),
            target=Target("user", str(known.public_id)) if known else None,
        )
        if known is not None and known.is_active and may_mail:
            reset, token = issue_reset(user=known, lifetime=rules.RESET_LIFETIME)
            emails.password_reset(reset=reset, token=token)
        else:
            emails.password_reset_decoy(email=email)
            jobs.enqueue("mail.deliver_due")


def _may_mail(email: str) -> bool:
    subject = limits.address(email)
    hourly = spend(limits.RESET_MAIL_HOURLY, subject)
    return hourly.allowed and spend(limits.RESET_MAIL_DAILY, subject).allowed


def issue_reset(*, user: User, lifetime: timedelta) -> tuple[PasswordReset, str]:
    """A permission to choose the password of ``user`` and the token of its link, in one transaction."""
    token = tokens.new()
    reset = PasswordReset.objects.create(
        user=user,
        epoch=user.security_epoch,
        token_hash=tokens.digest(token),
        expires_at=timezone.now() + lifetime,
    )
    return reset, token


def reset_password(*, actor: Actor, token: str, new: str) -> User:
    """Sets the password by a mailed link, once, and secures the account: sessions, half sign-ins and known
    browsers end with the old epoch. Second factors stay, and nobody is signed in (cases 27 and 28).

    ``new`` has passed ``passwords.validate``. Raises ``ResetLinkDeadError``, which is on record, or
    ``SamePasswordError``: a lock-down would end with the very password that the thief knows. That answer is
    no oracle, for any other password is set and spends the link.
    """
    found = queries.live_reset(token)
    if found is None:
        note_dead_link(actor=actor, token=token)
        raise ResetLinkDeadError
    if passwords.proves(found.user, new):
        raise SamePasswordError
    hashed = passwords.make(new)
    with transaction.atomic():
        account = User.objects.select_for_update().get(pk=found.user_id)
        if not _spend(found, account):
            _refuse(actor, account)
            raise ResetLinkDeadError
        account.email_confirmed_at = account.email_confirmed_at or timezone.now()
        _replace(account, hashed)
        record(
            IdentityEvent.RESET_COMPLETED,
            actor=actor,
            stream=Stream.user(account.public_id),
            target=Target("user", str(account.public_id)),
        )
        signals.password_changed.send(sender=User, user=account, actor=actor, request_session_key="")
        emails.password_changed(user=account, was_reset=True)
    subject = limits.address(account.email)
    clear(limits.LOGIN_BY_ACCOUNT, subject)
    clear(limits.LOGIN_IN_A_ROW, subject)
    return account


def _spend(reset: PasswordReset, account: User) -> bool:
    """Uses the link up, if it still works for ``account``, whose row is locked: ``True`` once only."""
    now = timezone.now()
    live = PasswordReset.objects.live(now).filter(pk=reset.pk, epoch=account.security_epoch)
    return account.is_active and bool(live.update(spent_at=now))


def _replace(account: User, hashed: str) -> None:
    account.password = hashed
    account.security_epoch += 1
    account.password_changed_at = timezone.now()
    account.save(update_fields=["password", "password_changed_at", "security_epoch", "email_confirmed_at"])
    PendingSignIn.objects.filter(user=account).delete()
    PasswordReset.objects.filter(user=account, spent_at=None).update(spent_at=timezone.now())


def note_dead_link(*, actor: Actor, token: str) -> None:
    """Puts on record that a link which no longer works was opened, for the account it once belonged to.

    Once a period and network: links can be made up by the thousand, and must not fill the evidence.
    """
    if spend(limits.DENIAL_ON_RECORD, f"reset:{limits.network()}").allowed:
        former = queries.reset_of(token)
        _refuse(actor, former.user if former else None)


def _refuse(actor: Actor, account: User | None) -> None:
    record_independently(
        IdentityEvent.RESET_REFUSED,
        actor=actor,
        stream=Stream.user(account.public_id) if account else Stream.system(),
        target=Target("user", str(account.public_id)) if account else None,
        outcome=Outcome.DENIED,
        reason=ResetLinkDeadError.code,
    )

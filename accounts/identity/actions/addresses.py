"""Changing the address of an account, by its owner; bringing the former one back, by its holder."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identity import access, emails, limits, quarantine, queries, rules, signals, tokens
from accounts.identity.events import IdentityEvent
from accounts.identity.models import EmailChange, PasswordReset, PendingSignIn, User
from kellexa_portal.audit import Outcome, Stream, Target, record, record_independently
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault
from kellexa_portal.ratelimit import raise_if_spent, spend


class SameEmailError(DomainError):
    """The new address is the present one, however it is spelled."""

    code = "accounts.email.same"
    fault = Fault.INVALID
    message = _("This is already the address of your account.")


class EmailLinkDeadError(DomainError):
    """The link was used, has expired, is another person's, or the account was secured since."""

    code = "accounts.email.link_dead"
    fault = Fault.NOT_FOUND
    message = _("This link no longer works.")


def request_email_change(*, actor: Actor, user: User, email: str) -> None:
    """Mails a link to the new address; the present one is told.

    An address that has an account gets a mail that says so, and the answer is the same: the page tells
    nobody who has an account. Raises ``NotPermittedError`` for anybody else, ``QuarantinedError``,
    ``SameEmailError`` and ``TooManyAttempts``.
    """
    access.require_oneself(actor, user)
    quarantine.require_free(user)
    if rules.canonical_email(email) == rules.canonical_email(user.email):
        raise SameEmailError
    raise_if_spent(limits.EMAIL_CHANGE, str(user.public_id))
    with transaction.atomic():
        account = User.objects.select_for_update().get(pk=user.pk)
        EmailChange.objects.filter(user=account, spent_at=None).update(spent_at=timezone.now())
        token = tokens.new()
        change = EmailChange.objects.create(
            user=account,
            epoch=account.security_epoch,
            old_email=account.email,
            new_email=email,
            token_hash=tokens.digest(token),
            expires_at=timezone.now() + rules.EMAIL_CHANGE_LIFETIME,
        )
        _record(IdentityEvent.EMAIL_CHANGE_REQUESTED, actor, account)
        if queries.account_of(email) is None:
            emails.confirm_new_address(change=change, token=token)
        else:
            emails.address_taken(change=change)
        emails.email_change_requested(change=change)


def change_email(*, actor: Actor, user: User, token: str, session_key: str) -> User:
    """Makes the new address the account's, once; every other session ends and the former address is told.

    Raises ``NotPermittedError`` for anybody but ``user`` and ``EmailLinkDeadError``, which is on record.
    """
    access.require_oneself(actor, user)
    quarantine.require_free(user)
    change = queries.live_email_change(token, user)
    if change is None:
        raise _refused(actor, user)
    try:
        with transaction.atomic():
            account = User.objects.select_for_update().get(pk=user.pk)
            undo = tokens.new()
            now = timezone.now()
            spent = EmailChange.objects.live(now).filter(pk=change.pk, epoch=account.security_epoch)
            if not spent.update(
                spent_at=now, undo_hash=tokens.digest(undo), undo_until=now + rules.EMAIL_UNDO_LIFETIME
            ):
                raise _refused(actor, account)
            _move(account, change.new_email)
            _record(IdentityEvent.EMAIL_CHANGED, actor, account)
            signals.email_changed.send(
                sender=User, user=account, actor=actor, request_session_key=session_key
            )
            emails.email_changed(user=account, change=change, undo_token=undo)
    except IntegrityError as error:
        raise _refused(actor, user) from error
    return account


def restore_email(*, actor: Actor, token: str) -> User:
    """Brings the former address back by the link that it was mailed; every session ends.

    Whoever reads that mailbox was the account's owner a week ago at most; second factors stay, and nobody
    is signed in. Raises ``EmailLinkDeadError``, also when the address has another account by now.
    """
    change = queries.undoable_email_change(token)
    if change is None:
        raise _refused(actor, None)
    try:
        with transaction.atomic():
            account = User.objects.select_for_update().get(pk=change.user_id)
            undone = EmailChange.objects.filter(pk=change.pk, undone_at=None)
            if not undone.update(undone_at=timezone.now()):
                raise _refused(actor, account)
            EmailChange.objects.filter(user=account, pk__gt=change.pk).exclude(undo_hash=None).update(
                undo_until=timezone.now()
            )
            displaced = account.email
            _move(account, change.old_email)
            _record(IdentityEvent.EMAIL_RESTORED, actor, account)
            signals.email_changed.send(sender=User, user=account, actor=actor, request_session_key="")
            emails.email_restored(user=account, change=change, displaced=displaced)
    except IntegrityError as error:
        raise _refused(actor, change.user) from error
    return account


def _move(account: User, email: str) -> None:
    account.email = email
    account.email_confirmed_at = timezone.now()
    account.security_epoch += 1
    account.save(update_fields=["email", "email_confirmed_at", "security_epoch"])
    PendingSignIn.objects.filter(user=account).delete()
    PasswordReset.objects.filter(user=account, spent_at=None).update(spent_at=timezone.now())


def _record(event: IdentityEvent, actor: Actor, account: User) -> None:
    target = Target("user", str(account.public_id))
    record(event, actor=actor, stream=Stream.user(account.public_id), target=target)


def note_dead_link(*, actor: Actor, user: User | None) -> None:
    """Puts on record that a link which no longer works was opened, by ``user`` if somebody is signed in.

    Once a period and network: links can be made up by the thousand, and must not fill the evidence.
    """
    if spend(limits.DENIAL_ON_RECORD, f"email:{limits.network()}").allowed:
        _refused(actor, user)


def _refused(actor: Actor, account: User | None) -> EmailLinkDeadError:
    """The refusal to raise, after it was put on record."""
    record_independently(
        IdentityEvent.EMAIL_REFUSED,
        actor=actor,
        stream=Stream.user(account.public_id) if account else Stream.system(),
        target=Target("user", str(account.public_id)) if account else None,
        outcome=Outcome.DENIED,
        reason=EmailLinkDeadError.code,
    )
    return EmailLinkDeadError()

"""Passkeys of a person: made, named, removed. One second factor always stays."""

from __future__ import annotations

import django_otp
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device

from accounts.identity.models import User
from accounts.mfa import emails, rules, webauthn
from accounts.mfa.actions.aftermath import end_others_after_change
from accounts.mfa.actions.challenges import Asker, Purpose
from accounts.mfa.events import MfaEvent
from accounts.mfa.models import Enrolment, Passkey, TotpDevice
from accounts.mfa.queries import any_factor_of, has_other_factor, passkeys_of
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream, Target, record
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault
from kellexa_portal.core.ids import uuid7


class PasskeyUnfitError(DomainError):
    """What the browser made is not a passkey that may be kept here."""

    code = "auth.passkey.unfit"
    fault = Fault.INVALID
    message = _(
        "This passkey can’t be kept here: your device has to unlock it by fingerprint, face or PIN and store "
        "it. Try again, or use another device."
    )


class PasskeyKnownError(DomainError):
    """The key is registered already, here or with another account."""

    code = "auth.passkey.known"
    fault = Fault.INVALID
    message = _("This passkey is registered already. Use another device, or sign in with it.")


class TooManyPasskeysError(DomainError):
    """Nobody needs more, and each is a way in."""

    code = "auth.passkey.too_many"
    fault = Fault.INVALID
    message = _("You have as many passkeys as an account can hold. Remove one that you don’t use first.")


class LastFactorError(DomainError):
    """Without it a password alone would be all that protects the account."""

    code = "auth.mfa.last_factor"
    fault = Fault.CONFLICT
    message = _("This is your only second factor. Set up another one before you remove it.")


def draft_passkey(
    *, user: User, enrolment: Enrolment, answer: webauthn.Answer, challenge: bytes, name: str
) -> Passkey:
    """Keeps the key that ``answer`` brings as a draft of ``enrolment``; the caller holds the transaction."""
    return _keep(user=user, answer=answer, challenge=challenge, name=name, enrolment=enrolment)


def add_passkey(
    request: HttpRequest, *, actor: Actor, session: AccountSession, answer: webauthn.Answer, name: str
) -> Passkey:
    """Makes the new key a factor of the signed-in person; ends every other session (attack case 34).

    Raises ``PasskeyUnfitError``, ``PasskeyKnownError``, ``TooManyPasskeysError`` or ``ChallengeSpentError``.
    """
    challenge = Asker(Purpose.ADD, session=session).burn(answer)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=session.user_id)
        if passkeys_of(user).count() >= rules.MAX_PASSKEYS:
            raise TooManyPasskeysError
        passkey = _keep(user=user, answer=answer, challenge=challenge, name=name)
        note_new_passkey(passkey, actor=actor)
        end_others_after_change(request, actor=actor, user=user)
    request.session.cycle_key()
    return passkey


def note_new_passkey(passkey: Passkey, *, actor: Actor) -> None:
    """Puts a new passkey on record and tells its person."""
    _record(MfaEvent.ENROLLED, passkey, actor=actor)
    emails.passkey_added(user=passkey.user, name=passkey.name, event_id=uuid7().hex)


def rename_passkey(*, actor: Actor, passkey: Passkey, name: str) -> None:
    """Calls the passkey ``name``, for its person's eye alone."""
    with transaction.atomic():
        Passkey.objects.filter(pk=passkey.pk).update(name=name)
        passkey.name = name
        _record(MfaEvent.PASSKEY_RENAMED, passkey, actor=actor)


def remove_factor(request: HttpRequest, *, actor: Actor, factor: Passkey | TotpDevice) -> None:
    """Removes one of several factors; what it opened elsewhere ends (attack case 34).

    Counts under a lock on the account, so that two removals at once leave one factor. Raises
    ``LastFactorError``.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=factor.user_id)
        if not has_other_factor(factor):
            raise LastFactorError
        if not type(factor).objects.filter(pk=factor.pk).delete()[0]:
            return
        note_removal(factor, actor=actor)
        end_others_after_change(request, actor=actor, user=user)
        _rebind(request, user=user, gone=factor)
    request.session.cycle_key()


def note_removal(factor: Passkey | TotpDevice, *, actor: Actor) -> None:
    """Puts the end of a factor on record and tells its person."""
    _record(MfaEvent.REMOVED, factor, actor=actor)
    name = factor.name if isinstance(factor, Passkey) else ""
    emails.factor_removed(user=factor.user, name=name, event_id=uuid7().hex)


def _rebind(request: HttpRequest, *, user: User, gone: Device) -> None:
    """A session that hangs on the removed factor lives on with another.

    The person stepped up within minutes to be here, and the next step-up asks for what is left.
    """
    held = request.session.get(django_otp.DEVICE_ID_SESSION_KEY)
    other = any_factor_of(user)
    if other is not None and held == f"{gone.model_label()}/{gone.pk}":
        django_otp.login(request, other)


def _keep(
    *,
    user: User,
    answer: webauthn.Answer,
    challenge: bytes,
    name: str,
    enrolment: Enrolment | None = None,
) -> Passkey:
    try:
        key = webauthn.check_creation(answer, challenge=challenge)
    except webauthn.FalseAnswerError as error:
        raise PasskeyUnfitError from error
    fingerprint = webauthn.fingerprint(key.credential_id)
    passkey = Passkey(
        user=user,
        name=name,
        confirmed=enrolment is None,
        enrolment=enrolment,
        credential_id=key.credential_id,
        credential_id_sha256=fingerprint,
        public_key=key.public_key,
        sign_count=key.sign_count,
        transports=key.transports,
        aaguid=key.aaguid,
        discoverable=True,
        backup_eligible=key.is_synced,
        backup_state=key.is_backed_up,
    )
    Passkey.objects.bulk_create([passkey], ignore_conflicts=True)
    kept = Passkey.objects.filter(public_id=passkey.public_id).select_related("user").first()
    if kept is None:
        raise PasskeyKnownError
    return kept


def _record(event: MfaEvent, factor: Passkey | TotpDevice, *, actor: Actor) -> None:
    kind = "passkey" if isinstance(factor, Passkey) else "totp"
    record(
        event,
        actor=actor,
        stream=Stream.user(factor.user.public_id),
        target=Target(kind, str(factor.public_id)),
        changes={"factor": kind},
    )

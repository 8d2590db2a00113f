"""A second factor on its way in: at the first sign-in, after a recovery code, or in place of another."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identity.models import PendingSignIn, User
from accounts.identity.rules import PENDING_LIFETIME
from accounts.mfa import emails, rules, webauthn
from accounts.mfa.actions.aftermath import end_others_after_change
from accounts.mfa.actions.challenges import Asker, Purpose
from accounts.mfa.actions.guesses import WrongCodeError, WrongRecoveryCodeError
from accounts.mfa.actions.passkeys import draft_passkey, note_new_passkey, note_removal
from accounts.mfa.actions.recovery import NewRecoveryCodes, draw_codes
from accounts.mfa.actions.verification import reverify_by_code
from accounts.mfa.events import MfaEvent
from accounts.mfa.models import Enrolment, Passkey, RecoveryCode, TotpDevice
from accounts.mfa.queries import authenticator_of, has_factor
from accounts.sessions.actions import SignInLapsedError, complete_login, reverify
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream, Target, record
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault
from kellexa_portal.core.ids import uuid7

Stage = PendingSignIn.Stage
Method = AccountSession.Method
METHODS = {Stage.ENROL: Method.ENROLMENT, Stage.RECOVERED: Method.RECOVERY}
METHODS_OF_PASSKEY = {Stage.ENROL: Method.NEW_PASSKEY, Stage.RECOVERED: Method.RECOVERY}


class CodeOfAnotherMomentError(DomainError):
    """The code belongs to a step near the present one: a slow typist or a wrong clock."""

    code = "auth.mfa.another_moment"
    fault = Fault.INVALID
    message = _(
        "This code had just changed, or the clock of your device is wrong. Wait until the app shows the "
        "next code and type that one."
    )


class OutOfOrderError(DomainError):
    """A later step was posted before an earlier one, or an earlier one again (attack case 20)."""

    code = "auth.mfa.out_of_order"
    fault = Fault.CONFLICT
    message = _("This step is not due now.")


class AlreadyEnrolledError(DomainError):
    """Another browser enrolled first; a password alone never adds or replaces a factor (attack case 3)."""

    code = "auth.mfa.already_enrolled"
    fault = Fault.CONFLICT
    message = _("A second factor was added to this account meanwhile. Sign in with it.")


def enter_enrolment(*, pending: PendingSignIn) -> None:
    """Sends a person without a factor to enrolment, with fresh time for it; never one who has a factor."""
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=pending.user_id)
        if has_factor(user):
            raise AlreadyEnrolledError
        expires_at = timezone.now() + PENDING_LIFETIME
        moved = PendingSignIn.objects.filter(pk=pending.pk, stage=Stage.VERIFY).update(
            stage=Stage.ENROL, expires_at=expires_at
        )
        if not moved:
            raise SignInLapsedError
        pending.stage, pending.expires_at = Stage.ENROL, expires_at


def begin_enrolment(*, pending: PendingSignIn) -> Enrolment:
    """The enrolment of this half sign-in: the one under way, or a new one with a new seed."""
    if pending.stage not in METHODS:
        raise OutOfOrderError
    with transaction.atomic():
        locked = PendingSignIn.objects.select_for_update().filter(pk=pending.pk).first()
        if locked is None:
            raise SignInLapsedError
        found = Enrolment.objects.filter(pending=locked).select_related("user").first()
        return found or _new_enrolment(user=pending.user, pending=locked)


def begin_replacement(request: HttpRequest, *, code: str) -> Enrolment:
    """Begins to replace the app after a present code of the old one; raises as ``prove_code`` does."""
    session = reverify_by_code(request, code=code)
    with transaction.atomic():
        locked = AccountSession.objects.select_for_update().get(pk=session.pk)
        Enrolment.objects.filter(session=locked).delete()
        return _new_enrolment(user=session.user, session=locked)


def begin_first_app(*, session: AccountSession) -> Enrolment:
    """Begins an app for a signed-in person who has passkeys alone; the view asks for one of them first.

    Raises ``AlreadyEnrolledError`` for a person who has an app, which takes a code of it to replace.
    """
    with transaction.atomic():
        locked = AccountSession.objects.select_for_update().get(pk=session.pk)
        if authenticator_of(session.user) is not None:
            raise AlreadyEnrolledError
        Enrolment.objects.filter(session=locked).delete()
        return _new_enrolment(user=session.user, session=locked)


def _new_enrolment(
    *, user: User, pending: PendingSignIn | None = None, session: AccountSession | None = None
) -> Enrolment:
    stale = timezone.now() - rules.REPLACEMENT_LIFETIME
    Enrolment.objects.filter(user=user, pending=None, created_at__lte=stale).delete()
    enrolment = Enrolment(user=user, pending=pending, session=session)
    enrolment.seal_seed(rules.new_seed())
    enrolment.save(force_insert=True)
    return enrolment


def confirm_code(*, enrolment: Enrolment, code: str) -> NewRecoveryCodes:
    """Checks that the app was set up right, and draws the recovery codes; ``code`` is canonical.

    The step of the code is kept, so that it opens nothing later (attack case 9). Raises
    ``OutOfOrderError`` when a code was confirmed before, ``WrongCodeError`` or
    ``CodeOfAnotherMomentError``.
    """
    with transaction.atomic():
        locked = _lock(enrolment)
        if locked.confirmed_at is not None:
            raise OutOfOrderError
        is_calibrated = _take_reading(locked, code)
        if is_calibrated:
            locked.confirmed_at = timezone.now()
            locked.save(update_fields=["confirmed_at"])
            codes = draw_codes(user=locked.user, enrolment=locked)
    if not is_calibrated:
        raise CodeOfAnotherMomentError
    return codes


def confirm_passkey(
    *, pending: PendingSignIn, enrolment: Enrolment, answer: webauthn.Answer, name: str
) -> NewRecoveryCodes:
    """Keeps the passkey that was just made as the factor to be, and draws the recovery codes.

    Raises ``OutOfOrderError``, ``ChallengeSpentError``, ``PasskeyUnfitError`` or ``PasskeyKnownError``.
    """
    challenge = Asker(Purpose.ENROL, pending=pending).burn(answer)
    with transaction.atomic():
        locked = _lock(enrolment)
        if locked.confirmed_at is not None:
            raise OutOfOrderError
        draft_passkey(user=locked.user, enrolment=locked, answer=answer, challenge=challenge, name=name)
        locked.confirmed_at = timezone.now()
        locked.save(update_fields=["confirmed_at"])
        return draw_codes(user=locked.user, enrolment=locked)


def _lock(enrolment: Enrolment) -> Enrolment:
    locked = (
        Enrolment.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(pk=enrolment.pk)
        .first()
    )
    if locked is None:
        raise SignInLapsedError
    return locked


def _take_reading(enrolment: Enrolment, code: str) -> bool:
    """Stores what ``code`` tells about the clock; whether that is now certain. Raises ``WrongCodeError``."""
    reading = rules.read(enrolment.open_seed(), code, now=timezone.now())
    if reading is None:
        raise WrongCodeError
    is_calibrated = rules.is_calibrated(reading, former=enrolment.reading)
    enrolment.seen_step, enrolment.seen_drift = reading.step, reading.drift
    enrolment.save(update_fields=["seen_step", "seen_drift"])
    return is_calibrated


def redraw_codes(*, enrolment: Enrolment) -> NewRecoveryCodes:
    """Ten other drafts for who lost sight of the first; raises ``OutOfOrderError`` before the code."""
    with transaction.atomic():
        locked = _lock(enrolment)
        if locked.confirmed_at is None:
            raise OutOfOrderError
        RecoveryCode.objects.filter(enrolment=locked).delete()
        return draw_codes(user=locked.user, enrolment=locked)


def finish_enrolment(
    request: HttpRequest, *, pending: PendingSignIn, enrolment: Enrolment, recovery_code: str
) -> AccountSession:
    """Makes the app or passkey the person's factor once a recovery code was typed back, and signs in.

    After a recovery code it takes the place of the old app, whose codes stop working; the old recovery
    codes go too. Ends every other session. Raises ``OutOfOrderError``, ``WrongRecoveryCodeError``,
    ``AlreadyEnrolledError`` or ``SignInLapsedError``.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=pending.user_id)
        locked = _lock(enrolment)
        if locked.confirmed_at is None:
            raise OutOfOrderError
        drafts = RecoveryCode.objects.filter(enrolment=locked)
        if not drafts.filter(digest=rules.recovery_digest(recovery_code)).exists():
            raise WrongRecoveryCodeError
        if pending.stage == Stage.ENROL and has_factor(user):
            raise AlreadyEnrolledError
        passkey = _confirmed_draft(locked)
        if passkey is not None:
            _install_passkey(passkey)
        device = passkey or _install(user=user, enrolment=locked)
        RecoveryCode.objects.filter(user=user, enrolment=None).delete()
        drafts.update(enrolment=None)
        if passkey is None:
            _note_change(user=user, actor=Actor.of(user), is_replacement=pending.stage == Stage.RECOVERED)
        methods = METHODS if passkey is None else METHODS_OF_PASSKEY
        session = complete_login(
            request, pending=pending, device=device, method=methods[Stage(pending.stage)]
        )
        end_others_after_change(request, actor=Actor.of(user), user=user)
    return session


def finish_replacement(
    request: HttpRequest, *, actor: Actor, user: User, enrolment: Enrolment, code: str
) -> TotpDevice:
    """Puts the new app in the place of any old one once a code of it was typed; recovery codes stay.

    The session gets a new key, every other one ends. Raises ``WrongCodeError`` or
    ``CodeOfAnotherMomentError``.
    """
    with transaction.atomic():
        locked_user = User.objects.select_for_update().get(pk=user.pk)
        locked = _lock(enrolment)
        is_calibrated = _take_reading(locked, code)
        if is_calibrated:
            is_replacement = authenticator_of(locked_user) is not None
            device = _install(user=locked_user, enrolment=locked)
            locked.delete()
            _note_change(user=locked_user, actor=actor, is_replacement=is_replacement)
            reverify(request, device=device, factor="totp")
            end_others_after_change(request, actor=actor, user=locked_user)
    if not is_calibrated:
        raise CodeOfAnotherMomentError
    return device


def _install(*, user: User, enrolment: Enrolment) -> TotpDevice:
    """The confirmed app from its enrolment, in place of any former one; its seed is sealed anew."""
    reading = enrolment.reading
    if reading is None:
        raise OutOfOrderError
    TotpDevice.objects.filter(user=user).delete()
    device = TotpDevice(user=user, last_step=reading.step, drift=reading.drift, confirmed=True)
    device.seal_seed(enrolment.open_seed())
    device.save(force_insert=True)
    return device


def _confirmed_draft(enrolment: Enrolment) -> Passkey | None:
    """The passkey of this enrolment, no longer a draft."""
    passkey = Passkey.objects.filter(enrolment=enrolment).select_related("user").first()
    if passkey is not None:
        passkey.enrolment, passkey.confirmed = None, True
        passkey.save(update_fields=["enrolment", "confirmed"])
    return passkey


def _install_passkey(passkey: Passkey) -> None:
    """On record, in place of an app that is out of reach: only a recovery leads here with one."""
    actor = Actor.of(passkey.user)
    note_new_passkey(passkey, actor=actor)
    app = authenticator_of(passkey.user)
    if app is not None:
        note_removal(app, actor=actor)
        app.delete()


def _note_change(*, user: User, actor: Actor, is_replacement: bool) -> None:
    record(
        MfaEvent.REPLACED if is_replacement else MfaEvent.ENROLLED,
        actor=actor,
        stream=Stream.user(user.public_id),
        target=Target("user", str(user.public_id)),
        changes={"factor": "totp"},
    )
    notify = emails.factor_replaced if is_replacement else emails.factor_enrolled
    notify(user=user, event_id=uuid7().hex)

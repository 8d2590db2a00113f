"""A passkey shown: in place of the password, after it, or again by somebody who is signed in."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp_webauthn.models import WebAuthnUserHandle

from accounts.identity import limits
from accounts.identity import pending as half_sign_ins
from accounts.identity.known_browser import BrowserCookies
from accounts.identity.models import PendingSignIn, User
from accounts.identity.rules import PENDING_TRIES
from accounts.mfa import emails, rules, webauthn
from accounts.mfa.actions.challenges import Asker, ChallengeSpentError, Purpose
from accounts.mfa.actions.guesses import NoTriesLeftError, admit, refuse
from accounts.mfa.budgets import PASSKEY_BY_NETWORK, Purse
from accounts.mfa.events import MfaEvent
from accounts.mfa.models import Passkey
from accounts.mfa.queries import passkey_named
from accounts.sessions.actions import SignInLapsedError, complete_login
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Outcome, Stream, Target, record_independently
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault
from kellexa_portal.ratelimit import raise_if_spent, refund

Method = AccountSession.Method


class PasskeyRefusedError(DomainError):
    """No passkey that may sign in here, or a signature that is not its own; which of these is not told."""

    code = "auth.passkey.refused"
    fault = Fault.INVALID
    message = _("This passkey can’t be used here. Try another one, or another way to sign in.")


class PasskeyCopiedError(DomainError):
    """The passkey's counter went back: another copy of it was used meanwhile (WebAuthn L3, 6.1.1)."""

    code = "auth.passkey.counter"
    fault = Fault.INVALID
    message = _(
        "This passkey was refused because its counter went back, as it does when somebody has a copy. Sign "
        "in another way, remove it and make a new one."
    )


REFUSALS = (PasskeyRefusedError, PasskeyCopiedError, ChallengeSpentError)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What became of an answer: the passkey, or why it was refused."""

    passkey: Passkey | None
    refusal: type[DomainError] | None = None
    reason: str = ""


def sign_in_with_passkey(
    request: HttpRequest, *, answer: webauthn.Answer, asker: Asker, next_url: str, cookies: BrowserCookies
) -> AccountSession:
    """Signs in whoever's passkey ``answer`` proves, without a password; ``asker`` is the browser.

    Counted against the network first, and against the account like every other factor. A locked or
    deactivated account is refused like an unknown passkey (attack case 14). Raises one of ``REFUSALS``,
    ``TooManyAttempts`` or ``SignInLapsedError``.
    """
    network = limits.network()
    raise_if_spent(PASSKEY_BY_NETWORK, network)
    challenge = asker.burn(answer)
    found = passkey_named(webauthn.credential_id_of(answer))
    if found is None or not found.user.is_active or found.user.locked_at is not None:
        _note_stranger(found)
        raise PasskeyRefusedError
    purse = Purse(found.user, cookies.id_for(found.user))
    borne = admit(purse=purse)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=found.user_id)
        verdict = _judge(user, answer, challenge, names_person=True)
        if verdict.passkey is not None:
            pending = half_sign_ins.start_for_passkey(request, user=user, next_url=next_url)
            session = complete_login(request, pending=pending, device=verdict.passkey, method=Method.PASSKEY)
    if verdict.refusal is not None:
        refuse(MfaEvent.PASSKEY_REFUSED, user=found.user, borne=borne, reason=verdict.reason)
        raise verdict.refusal
    purse.give_back()
    refund(PASSKEY_BY_NETWORK, network)
    return session


def verify_passkey(
    request: HttpRequest, *, pending: PendingSignIn, answer: webauthn.Answer, browser: str
) -> AccountSession:
    """Completes a sign-in whose password was right; a passkey counts as a guess like any other factor.

    Raises one of ``REFUSALS``, ``NoTriesLeftError``, ``TooManyAttempts`` or ``SignInLapsedError``.
    """
    if pending.stage != PendingSignIn.Stage.VERIFY:
        raise SignInLapsedError
    purse = Purse(pending.user, browser)
    borne = admit(purse=purse, pending=pending)
    challenge = _burned(Asker(Purpose.VERIFY, pending=pending), answer)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=pending.user_id)
        verdict = _judge(user, answer, challenge)
        if verdict.passkey is not None:
            session = complete_login(
                request, pending=pending, device=verdict.passkey, method=Method.PASSWORD_AND_PASSKEY
            )
    if verdict.refusal is not None:
        refuse(MfaEvent.PASSKEY_REFUSED, user=user, borne=borne, pending=pending, reason=verdict.reason)
        raise NoTriesLeftError if pending.tries >= PENDING_TRIES else verdict.refusal
    purse.give_back()
    return session


def prove_passkey(*, session: AccountSession, answer: webauthn.Answer) -> Passkey:
    """Asks a signed-in person for one of their passkeys, from a budget of their session.

    Raises one of ``REFUSALS`` or ``TooManyAttempts``.
    """
    purse = Purse(session.user, str(session.public_id))
    borne = admit(purse=purse)
    challenge = _burned(Asker(Purpose.STEP_UP, session=session), answer)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=session.user_id)
        verdict = _judge(user, answer, challenge)
    if verdict.passkey is None:
        refuse(MfaEvent.PASSKEY_REFUSED, user=user, borne=borne, reason=verdict.reason)
        raise verdict.refusal or PasskeyRefusedError
    purse.give_back()
    return verdict.passkey


def _burned(asker: Asker, answer: webauthn.Answer) -> bytes | None:
    """The question that ``answer`` is to, used up before anything is locked, right or wrong."""
    try:
        return asker.burn(answer)
    except ChallengeSpentError:
        return None


def _judge(
    user: User, answer: webauthn.Answer, challenge: bytes | None, *, names_person: bool = False
) -> _Verdict:
    """Whether ``answer`` proves a passkey of ``user``, whose row the caller has locked.

    Answers instead of raising, so that what a fallen counter leaves behind stays written.
    """
    if challenge is None:
        return _Verdict(None, ChallengeSpentError, "challenge")
    passkey = Passkey.objects.filter(
        user=user,
        confirmed=True,
        credential_id_sha256=webauthn.fingerprint(webauthn.credential_id_of(answer)),
    ).first()
    if passkey is None:
        return _Verdict(None, PasskeyRefusedError, "unknown")
    handle = webauthn.user_handle_of(answer)
    if (names_person or handle) and handle != WebAuthnUserHandle.get_handle_for_user(user):
        return _Verdict(None, PasskeyRefusedError, "person")
    try:
        proof = webauthn.check_proof(answer, challenge=challenge, public_key=bytes(passkey.public_key))
    except webauthn.FalseAnswerError:
        return _Verdict(None, PasskeyRefusedError, "signature")
    if proof.is_synced != passkey.backup_eligible:
        return _Verdict(None, PasskeyRefusedError, "kind")
    if not rules.counts_on(proof.sign_count, stored=passkey.sign_count):
        _note_copy(passkey, shown=proof.sign_count)
        return _Verdict(None, PasskeyCopiedError, "counter")
    passkey.sign_count, passkey.backup_state = proof.sign_count, proof.is_backed_up
    passkey.last_used_at = timezone.now()
    passkey.save(update_fields=["sign_count", "backup_state", "last_used_at"])
    return _Verdict(passkey)


def _note_copy(passkey: Passkey, *, shown: int) -> None:
    """Puts a fallen counter on record and tells the owner, at most once an hour for each passkey."""
    record_independently(
        MfaEvent.PASSKEY_COUNTER,
        actor=Actor.anonymous(),
        stream=Stream.user(passkey.user.public_id),
        target=Target("passkey", str(passkey.public_id)),
        outcome=Outcome.DENIED,
        changes={"stored": passkey.sign_count, "shown": shown},
    )
    hour = f"{timezone.now():%Y%m%d%H}"
    emails.passkey_copied(user=passkey.user, name=passkey.name, event_id=f"{passkey.public_id}:{hour}")


def _note_stranger(found: Passkey | None) -> None:
    """A passkey that opens nothing: on record where it belongs, and survives the refusal."""
    user = found.user if found is not None else None
    record_independently(
        MfaEvent.PASSKEY_REFUSED,
        actor=Actor.anonymous(),
        stream=Stream.user(user.public_id) if user else Stream.system(),
        target=Target("user", str(user.public_id)) if user else None,
        outcome=Outcome.DENIED if user else Outcome.FAILURE,
        reason="account" if user else "unknown",
    )

"""Recovery codes: made, shown once, used once."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.identity import quarantine
from accounts.identity.models import PendingSignIn, User
from accounts.identity.rules import PENDING_LIFETIME, PENDING_TRIES
from accounts.mfa import emails, rules
from accounts.mfa.actions.aftermath import end_others_after_change
from accounts.mfa.actions.guesses import NoTriesLeftError, WrongRecoveryCodeError, admit, refuse
from accounts.mfa.actions.verification import reverify_by_code
from accounts.mfa.budgets import Purse
from accounts.mfa.events import MfaEvent
from accounts.mfa.models import Enrolment, RecoveryCode
from accounts.mfa.queries import recovery_codes_left
from accounts.sessions.actions import SignInLapsedError
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream, Target, record
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.ids import uuid7


@dataclass(frozen=True, slots=True)
class NewRecoveryCodes:
    """Ten codes in clear, for one page; they are nowhere else."""

    codes: tuple[str, ...] = field(repr=False)


def draw_codes(*, user: User, enrolment: Enrolment | None) -> NewRecoveryCodes:
    """Makes ten codes; drafts of ``enrolment`` while one is given. The caller holds the transaction."""
    codes = tuple(rules.new_recovery_code() for _ in range(rules.RECOVERY_CODES))
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, enrolment=enrolment, digest=rules.recovery_digest(code.replace("-", "")))
        for code in codes
    )
    return NewRecoveryCodes(codes)


def use_recovery_code(request: HttpRequest, *, pending: PendingSignIn, code: str, browser: str) -> int:
    """Burns a recovery code and moves the half sign-in on to enrolment, and to nothing else.

    Nobody is signed in by a recovery code: it opens the enrolment of a new authenticator. Answers how
    many codes are left. Raises ``WrongRecoveryCodeError``, ``NoTriesLeftError``, ``TooManyAttempts`` or
    ``SignInLapsedError``.
    """
    if pending.stage != PendingSignIn.Stage.VERIFY:
        raise SignInLapsedError
    purse = Purse(pending.user, browser)
    borne = admit(purse=purse, pending=pending)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=pending.user_id)
        is_burned = _burn(user, code)
        if is_burned:
            _move_on(pending, user)
            left = recovery_codes_left(user)
            _note_use(user, left=left)
    if not is_burned:
        refuse(MfaEvent.RECOVERY_REFUSED, user=pending.user, borne=borne, pending=pending)
        raise NoTriesLeftError if pending.tries >= PENDING_TRIES else WrongRecoveryCodeError
    request.session.cycle_key()
    purse.give_back()
    return left


def renew_codes(
    request: HttpRequest, *, actor: Actor, session: AccountSession, code: str
) -> NewRecoveryCodes:
    """Replaces all recovery codes after a present code of the app; the old ones stop working at once.

    Raises ``WrongCodeError`` or ``TooManyAttempts``.
    """
    reverify_by_code(request, code=code)
    return renew_codes_after_step_up(request, actor=actor, session=session)


def renew_codes_after_step_up(
    request: HttpRequest, *, actor: Actor, session: AccountSession
) -> NewRecoveryCodes:
    """The same for who has shown a factor just now, and has no app whose code could be asked for.

    Ends the person's other sessions (attack case 34).
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=session.user_id)
        RecoveryCode.objects.filter(user=user, enrolment=None).delete()
        fresh = draw_codes(user=user, enrolment=None)
        record(
            MfaEvent.RECOVERY_RENEWED,
            actor=actor,
            stream=Stream.user(user.public_id),
            target=Target("user", str(user.public_id)),
        )
        emails.recovery_codes_renewed(user=user, event_id=uuid7().hex)
        end_others_after_change(request, actor=actor, user=user)
    return fresh


def _burn(user: User, canonical: str) -> bool:
    """One conditional UPDATE: of twenty parallel uses one succeeds (attack case 12)."""
    usable = RecoveryCode.objects.usable().filter(user=user, digest=rules.recovery_digest(canonical))
    return bool(usable.update(used_at=timezone.now()))


def _move_on(pending: PendingSignIn, user: User) -> None:
    """From ``verify`` to ``recovered``, with fresh time to enrol; raising undoes the burn."""
    now = timezone.now()
    stage, expires_at = PendingSignIn.Stage.RECOVERED, now + PENDING_LIFETIME
    moved = PendingSignIn.objects.filter(
        pk=pending.pk,
        stage=PendingSignIn.Stage.VERIFY,
        epoch=user.security_epoch,
        expires_at__gt=now,
    ).update(stage=stage, tries=0, expires_at=expires_at)
    if not moved:
        raise SignInLapsedError
    pending.stage, pending.tries, pending.expires_at = stage, 0, expires_at


def _note_use(user: User, *, left: int) -> None:
    record(
        MfaEvent.RECOVERY_USED,
        actor=Actor.of(user),
        stream=Stream.user(user.public_id),
        target=Target("user", str(user.public_id)),
        changes={"left": left},
    )
    quarantine.begin(user, actor=Actor.system("mfa"), reason="recovery_code")
    emails.recovery_code_used(user=user, left=left, event_id=uuid7().hex)

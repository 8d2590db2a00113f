"""One guess at a code: admitted by tries and budgets before it is looked at, noted when it is wrong."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identity import pending as half_sign_ins
from accounts.identity.models import PendingSignIn, User
from accounts.mfa import emails, rules
from accounts.mfa.budgets import Purse
from accounts.mfa.events import MfaEvent
from kellexa_portal.audit import Outcome, Stream, Target, record_independently
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault
from kellexa_portal.ratelimit import TooManyAttempts


class WrongCodeError(DomainError):
    """The code was looked at and is not the present one, or was used before; which of the two is not told."""

    code = "auth.mfa.wrong_code"
    fault = Fault.INVALID
    message = _(
        "This code is wrong, or it was used already. Codes change every 30 seconds: wait for the next one "
        "and type it at once."
    )


class WrongRecoveryCodeError(DomainError):
    """No unused recovery code of this person reads so."""

    code = "auth.recovery.wrong_code"
    fault = Fault.INVALID
    message = _("This recovery code is wrong, or it was used already. Check each group of five characters.")


class NoTriesLeftError(DomainError):
    """The half sign-in has borne its five guesses; the next one needs the password again (attack case 10)."""

    code = "auth.mfa.no_tries_left"
    fault = Fault.LIMITED
    message = _("Too many wrong codes. Sign in again with your password.")


def admit(*, purse: Purse, pending: PendingSignIn | None = None) -> int:
    """Takes a try of the half sign-in and a guess of the account before a code is looked at.

    Answers how many guesses the account has borne this hour. Raises ``NoTriesLeftError`` or
    ``TooManyAttempts``; both leave the code unread.
    """
    if pending is not None and not half_sign_ins.spend_try(pending):
        raise NoTriesLeftError
    try:
        return purse.spend()
    except TooManyAttempts:
        _record(MfaEvent.BUDGET_SPENT, user=purse.user, outcome=Outcome.DENIED)
        raise


def refuse(
    event: MfaEvent, *, user: User, borne: int, pending: PendingSignIn | None = None, reason: str = ""
) -> None:
    """Notes a wrong guess, whatever becomes of the request, and tells the owner once it looks like an attack.

    At most one mail an hour: a stranger who keeps guessing must not be able to flood the owner.
    """
    outcome = Outcome.DENIED if event is MfaEvent.CODE_REPLAYED else Outcome.FAILURE
    _record(event, user=user, outcome=outcome, reason=reason)
    tries = pending.tries if pending is not None else 0
    if pending is not None and max(borne, tries) >= rules.WRONG_CODES_BEFORE_MAIL:
        with transaction.atomic():
            emails.wrong_codes(user=user, event_id=f"{user.public_id}:{timezone.now():%Y%m%d%H}")


def _record(event: MfaEvent, *, user: User, outcome: Outcome, reason: str = "") -> None:
    record_independently(
        event,
        actor=Actor.anonymous(),
        stream=Stream.user(user.public_id),
        target=Target("user", str(user.public_id)),
        outcome=outcome,
        reason=reason,
    )

"""The second step of a sign-in: a code of the authenticator app."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.identity.models import PendingSignIn, User
from accounts.identity.rules import PENDING_TRIES
from accounts.mfa.actions.guesses import NoTriesLeftError, WrongCodeError, admit, refuse
from accounts.mfa.budgets import Purse
from accounts.mfa.events import MfaEvent
from accounts.mfa.models import TotpDevice, Verdict
from accounts.mfa.queries import authenticator_of
from accounts.sessions.actions import SignInLapsedError, complete_login, reverify
from accounts.sessions.models import AccountSession
from accounts.sessions.queries import session_of

REFUSALS = {Verdict.WRONG: MfaEvent.CODE_REFUSED, Verdict.REPLAYED: MfaEvent.CODE_REPLAYED}


def verify_code(request: HttpRequest, *, pending: PendingSignIn, code: str, browser: str) -> AccountSession:
    """Completes the sign-in with the present code of the person's app; ``code`` is canonical.

    The code's step is burned and the session made in one transaction, so a code opens one session or
    none. Raises ``WrongCodeError``, ``NoTriesLeftError``, ``TooManyAttempts`` or ``SignInLapsedError``.
    """
    if pending.stage != PendingSignIn.Stage.VERIFY:
        raise SignInLapsedError
    purse = Purse(pending.user, browser)
    borne = admit(purse=purse, pending=pending)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=pending.user_id)
        device = authenticator_of(user)
        verdict = device.accept(code, now=timezone.now()) if device is not None else Verdict.WRONG
        if device is not None and verdict is Verdict.ACCEPTED:
            session = complete_login(
                request, pending=pending, device=device, method=AccountSession.Method.TOTP
            )
    if verdict is not Verdict.ACCEPTED:
        refuse(REFUSALS[verdict], user=pending.user, borne=borne, pending=pending)
        raise NoTriesLeftError if pending.tries >= PENDING_TRIES else WrongCodeError
    purse.give_back()
    return session


def prove_code(*, session: AccountSession, code: str) -> TotpDevice:
    """Asks a signed-in person for a present code, from a budget of their session; burns it, answers the app.

    Raises ``WrongCodeError`` or ``TooManyAttempts``. A recovery code or the password never stands in for it.
    """
    purse = Purse(session.user, str(session.public_id))
    borne = admit(purse=purse)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=session.user_id)
        device = authenticator_of(user)
        verdict = device.accept(code, now=timezone.now()) if device is not None else Verdict.WRONG
    if device is None or verdict is not Verdict.ACCEPTED:
        refuse(REFUSALS[verdict], user=user, borne=borne)
        raise WrongCodeError
    purse.give_back()
    return device


def reverify_by_code(request: HttpRequest, *, code: str) -> AccountSession:
    """Asks the person behind ``request`` for a present code and gives their session a new key (case 31).

    Raises as ``prove_code`` does.
    """
    device = prove_code(session=session_of(request), code=code)
    return reverify(request, device=device, factor="totp")

"""The second step of a sign-in in a browser in which it was done before, and trusted since."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest

from accounts.identity.models import PendingSignIn, User
from accounts.mfa.queries import any_factor_of
from accounts.sessions import trust
from accounts.sessions.actions import complete_login, use_trust
from accounts.sessions.models import AccountSession


def sign_in_by_trust(request: HttpRequest, *, pending: PendingSignIn) -> AccountSession | None:
    """Completes the sign-in if this browser is trusted for the person; ``None`` where a factor is due.

    The session counts as one factor: it has shown no second one, so every step-up asks for it. A person
    without a factor goes to enrolment, whatever the browser shows. Raises ``SignInLapsedError``.
    """
    if pending.stage != PendingSignIn.Stage.VERIFY:
        return None
    browser = trust.shown_by(request, pending.user)
    if browser is None:
        return None
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=pending.user_id)
        device = any_factor_of(user)
        if device is None or not trust.may_be_offered(user) or not use_trust(browser=browser):
            return None
        return complete_login(request, pending=pending, device=device, method=AccountSession.Method.TRUSTED)

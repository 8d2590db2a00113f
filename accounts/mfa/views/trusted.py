"""Browsers that are trusted: passed by the second step, and marked once it was done."""

from __future__ import annotations

from django.forms import Form
from django.http import HttpRequest, HttpResponse

from accounts.identity import pending as half_sign_ins
from accounts.identity.models import PendingSignIn
from accounts.mfa.actions.trusted import sign_in_by_trust
from accounts.mfa.views.arrivals import arrive
from accounts.mfa.views.stages import begin_again
from accounts.sessions import trust
from accounts.sessions.actions import SignInLapsedError, TrustRefusedError, trust_browser
from accounts.sessions.models import AccountSession
from kellexa_portal.core.actor import Actor


def pass_trusted_browser(request: HttpRequest, pending: PendingSignIn) -> HttpResponse | None:
    """Signs in at once where the browser is trusted; ``None`` leads to the second factor."""
    next_url = pending.next_url
    try:
        session = sign_in_by_trust(request, pending=pending)
    except SignInLapsedError as error:
        half_sign_ins.clear(request)
        return begin_again(request, error.sentence())
    return arrive(session, next_url) if session is not None else None


def arrive_trusting(session: AccountSession, next_url: str, form: Form) -> HttpResponse:
    """Where a completed sign-in leads; the browser is trusted from now on where the person ticked so."""
    response = arrive(session, next_url)
    if form.cleaned_data.get("trust"):
        try:
            given = trust_browser(actor=Actor.of(session.user), session=session)
        except TrustRefusedError:  # what allowed it changed meanwhile; the sign-in stands
            return response
        trust.mark(response, session.user, given.token)
    return response

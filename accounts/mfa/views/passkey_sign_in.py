"""Passkeys while signing in, for the pages' scripts: the questions, and the sign-in without a password."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import cache_control

from accounts.identity import known_browser, tokens
from accounts.identity.models import PendingSignIn
from accounts.mfa import webauthn
from accounts.mfa.actions.assertions import sign_in_with_passkey
from accounts.mfa.actions.challenges import Asker, ChallengeSpentError, Purpose
from accounts.mfa.views.ceremonies import answers_scripts, ask_for_known, ask_for_new
from accounts.mfa.views.stages import Stage, due_at
from accounts.sessions.landing import landing_of
from kellexa_portal.web import gates, problems
from kellexa_portal.web.methods import require_post
from kellexa_portal.web.redirects import safe_next

BROWSER = "passkey_browser"
MAX_BODY = webauthn.MAX_ANSWER_LENGTH + 4096


@gates.public
@require_post
@answers_scripts
def begin(request: HttpRequest) -> HttpResponse:
    """Asks for any passkey of this site; names nobody, so that nothing is told about accounts (case 30)."""
    token = request.session.get(BROWSER)
    if not isinstance(token, str):
        token = request.session[BROWSER] = tokens.new()
    return JsonResponse(webauthn.request_options(challenge=Asker.browser_named(token).ask()))


@gates.public
@require_post
@answers_scripts
def finish(request: HttpRequest) -> HttpResponse:
    """Signs in by the passkey alone, and answers where to go: ``{"location": "/…"}``."""
    try:
        if len(request.body) > MAX_BODY:
            raise webauthn.UnreadableAnswerError("too long")
        answer = webauthn.read(request.body.decode())
    except ValueError:
        return problems.problem(status=HTTPStatus.BAD_REQUEST, code="unreadable_input")
    token = request.session.get(BROWSER)
    if not isinstance(token, str):
        raise ChallengeSpentError
    next_url = safe_next(request, "")
    session = sign_in_with_passkey(
        request,
        answer=answer,
        asker=Asker.browser_named(token),
        next_url=next_url,
        cookies=known_browser.of(request),
    )
    return JsonResponse({"location": landing_of(session.user, next_url)})


@gates.public
@cache_control(no_store=True, private=True)
@require_post
@due_at(Stage.VERIFY)
@answers_scripts
def begin_verify(request: HttpRequest, *, pending: PendingSignIn) -> HttpResponse:
    """Asks whoever has shown the password for one of the account's passkeys."""
    return ask_for_known(pending.user, Asker(Purpose.VERIFY, pending=pending))


@gates.public
@cache_control(no_store=True, private=True)
@require_post
@due_at(Stage.ENROL, Stage.RECOVERED)
@answers_scripts
def begin_enrol(request: HttpRequest, *, pending: PendingSignIn) -> HttpResponse:
    """Asks for a new passkey of whoever has to enrol."""
    return ask_for_new(pending.user, Asker(Purpose.ENROL, pending=pending))

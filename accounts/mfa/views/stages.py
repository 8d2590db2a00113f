"""Keeps the steps of a sign-in in order: each page is reached only by the half sign-in that is due there."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.identity import pending as half_sign_ins
from accounts.identity.models import PendingSignIn
from accounts.mfa.actions.enrolment import AlreadyEnrolledError, enter_enrolment
from accounts.mfa.queries import has_factor
from accounts.sessions.actions import SignInLapsedError

Stage = PendingSignIn.Stage
StageView = Callable[..., HttpResponse]

PAGES = {Stage.VERIFY: "mfa:verify", Stage.ENROL: "mfa:enrol", Stage.RECOVERED: "mfa:enrol"}


def due_at(*stages: PendingSignIn.Stage) -> Callable[[StageView], StageView]:
    """Calls the view with the half sign-in of this browser if it stands at one of ``stages``.

    Anything else is answered by a redirect to the page that is due, so a step posted out of turn does
    nothing (attack case 20). Without a live half sign-in that is the sign-in page.
    """

    def decorate(view: StageView) -> StageView:
        @functools.wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            pending = half_sign_ins.current(request)
            if pending is None:
                return begin_again(request, _("This sign-in has expired. Start again with your password."))
            try:
                _settle(pending)
            except (AlreadyEnrolledError, SignInLapsedError) as error:
                half_sign_ins.clear(request)
                return begin_again(request, error.sentence())
            if pending.stage not in stages:
                return HttpResponseRedirect(reverse(PAGES[Stage(pending.stage)]), status=303)
            return view(request, *args, pending=pending, **kwargs)

        return inner

    return decorate


def begin_again(request: HttpRequest, sentence: str) -> HttpResponse:
    """Back to the sign-in page, with the reason."""
    if not request.user.is_authenticated:
        messages.info(request, sentence)
    return HttpResponseRedirect(reverse("accounts:login"), status=303)


def _settle(pending: PendingSignIn) -> None:
    """Sends a person who has no factor on to enrolment."""
    if pending.stage == Stage.VERIFY and not has_factor(pending.user):
        enter_enrolment(pending=pending)

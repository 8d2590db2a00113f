"""The pages that read an authenticator's clock anew by two codes in a row, signed in or on the way there."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control

from accounts.identity import known_browser
from accounts.identity.models import PendingSignIn
from accounts.mfa import queries
from accounts.mfa.actions import clock
from accounts.mfa.actions.guesses import NoTriesLeftError, WrongCodeError
from accounts.mfa.forms import CodeForm, typed
from accounts.mfa.models import Resync
from accounts.mfa.views.arrivals import arrive, give_up, too_many
from accounts.mfa.views.stages import Stage, due_at
from accounts.sessions.actions import SignInLapsedError
from accounts.sessions.queries import person_of, session_of
from kellexa_portal.ratelimit import TooManyAttempts
from kellexa_portal.web import gates
from kellexa_portal.web.forms import render
from kellexa_portal.web.methods import require_http_methods

no_store = cache_control(no_store=True, private=True)
page_with_form = require_http_methods(["GET", "HEAD", "POST"])
SIGN_IN_PAGE = "accounts/mfa/verify_clock.html"
PAGE = "accounts/mfa/clock.html"


@gates.public
@no_store
@page_with_form
@due_at(Stage.VERIFY)
def resync_at_sign_in(request: HttpRequest, *, pending: PendingSignIn) -> HttpResponse:
    """Takes two codes in a row from a person whose single codes are refused."""
    if queries.authenticator_of(pending.user) is None:
        return HttpResponseRedirect(reverse("mfa:verify"), status=303)
    form = CodeForm(typed(request), takes_focus=True)
    page = _steps(queries.resync_under_way(pending=pending))
    if not form.is_valid():
        return render(request, SIGN_IN_PAGE, page, form=form)
    next_url, browser = pending.next_url, known_browser.of(request).id_for(pending.user)
    try:
        session = clock.resync_at_sign_in(
            request, pending=pending, code=form.cleaned_data["code"], browser=browser
        )
    except (WrongCodeError, clock.NotTheNextCodeError) as error:
        return _refused(request, SIGN_IN_PAGE, form, error, page)
    except TooManyAttempts as error:
        return too_many(request, SIGN_IN_PAGE, form, error, page)
    except (NoTriesLeftError, SignInLapsedError) as error:
        return give_up(request, error)
    if session is None:
        return HttpResponseRedirect(reverse("mfa:verify_resync"), status=303)
    messages.success(request, _read_anew())
    return arrive(session, next_url)


@gates.own_account
@page_with_form
def resync(request: HttpRequest) -> HttpResponse:
    """The same for a signed-in person, before a code of the app is asked for where it matters."""
    if queries.authenticator_of(person_of(request)) is None:
        return HttpResponseRedirect(reverse("mfa:overview"), status=303)
    form = CodeForm(typed(request), takes_focus=True)
    page = _steps(queries.resync_under_way(session=session_of(request)))
    if not form.is_valid():
        return render(request, PAGE, page, form=form)
    try:
        session = clock.resync_by_session(request, code=form.cleaned_data["code"])
    except (WrongCodeError, clock.NotTheNextCodeError) as error:
        return _refused(request, PAGE, form, error, page)
    if session is None:
        return HttpResponseRedirect(reverse("mfa:resync"), status=303)
    messages.success(request, _read_anew())
    return HttpResponseRedirect(reverse("mfa:overview"), status=303)


def _refused(
    request: HttpRequest,
    template: str,
    form: Form,
    error: WrongCodeError | clock.NotTheNextCodeError,
    page: dict[str, Any],
) -> HttpResponse:
    form.add_error("code", error.sentence())
    return render(request, template, page, form=form)


def _steps(first: Resync | None) -> dict[str, Any]:
    return {"steps": [_("One code"), _("The next one")], "step": 1 if first is None else 2}


def _read_anew() -> str:
    return _("Your authenticator app’s clock was read anew. Its codes work again.")

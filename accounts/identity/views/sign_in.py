"""The password page. A right password begins a half sign-in and nothing more."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.identity import known_browser, pending, second_step
from accounts.identity.actions import sign_in as actions
from accounts.identity.forms import LoginForm
from accounts.identity.views.arrivals import home_if_signed_in
from kellexa_portal.core.actor import Actor
from kellexa_portal.ratelimit import TooManyAttempts
from kellexa_portal.web import forms as web_forms
from kellexa_portal.web import gates
from kellexa_portal.web.methods import require_http_methods
from kellexa_portal.web.redirects import safe_next


@gates.public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password")
def login(request: HttpRequest) -> HttpResponse:
    """Asks for address and password; on to the second factor with where the person wanted to go."""
    if (home := home_if_signed_in(request)) is not None:
        return home
    next_url = safe_next(request, "")
    form = LoginForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            user = actions.prove_password(
                actor=Actor.anonymous(), browser=known_browser.of(request), **form.cleaned_data
            )
        except actions.SignInRefusedError as error:
            form.add_error(None, error.sentence())
        except actions.LockedDownError as error:
            messages.warning(request, error.sentence())
            return redirect("accounts:password_reset")
        except TooManyAttempts as error:
            form.add_error(None, error.sentence())
            response = _page(request, form, next_url)
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response["Retry-After"] = str(error.params["retry_after"])
            return response
        else:
            half = pending.start(request, user=user, next_url=next_url)
            return second_step.lead_on(request, half)
    return _page(request, form, next_url)


def _page(request: HttpRequest, form: LoginForm, next_url: str) -> HttpResponse:
    return web_forms.render(request, "accounts/identity/login.html", {"next_url": next_url}, form=form)

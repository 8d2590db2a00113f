"""Sign-up: ask, read the mail, confirm."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.identity import pending, queries, tokens
from accounts.identity.actions import sign_up as actions
from accounts.identity.forms import ConfirmSignUpForm, SignUpForm
from accounts.identity.views.arrivals import home_if_signed_in
from kellexa_portal.core.actor import Actor
from kellexa_portal.web import forms as web_forms
from kellexa_portal.web import gates
from kellexa_portal.web.methods import require_http_methods, require_safe

BROWSER_KEY = "sign_up_browser"
ADDRESS_KEY = "sign_up_address"


@gates.public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password")
def signup(request: HttpRequest) -> HttpResponse:
    """The form for an account; the answer to a good one never tells whether the address has one."""
    if (home := home_if_signed_in(request)) is not None:
        return home
    form = SignUpForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return web_forms.render(request, "accounts/identity/signup.html", form=form)
    actions.request_account(
        actor=Actor.anonymous(), browser=_browser(request, make=True), **form.cleaned_data
    )
    request.session[ADDRESS_KEY] = form.cleaned_data["email"]
    return redirect("accounts:signup_sent")


@gates.public
@require_safe
@never_cache
def signup_sent(request: HttpRequest) -> HttpResponse:
    """What to do next: read the mail."""
    address = request.session.get(ADDRESS_KEY, "")
    return render(request, "accounts/identity/signup_sent.html", {"address": address})


@gates.public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password")
def signup_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Shows at GET, acts at POST, since mail scanners follow links; then straight on to the second factor."""
    sign_up = queries.live_sign_up(token)
    if sign_up is None:
        actions.note_dead_link(actor=Actor.anonymous())
        return _dead_link(request)
    browser = _browser(request)
    asks_password = actions.needs_password(sign_up, browser=browser)
    form = ConfirmSignUpForm(request.POST if request.method == "POST" else None, asks_password=asks_password)
    if form.is_bound and form.is_valid():
        try:
            user = actions.confirm_sign_up(
                actor=Actor.anonymous(),
                token=token,
                browser=browser,
                password=form.cleaned_data.get("password", ""),
            )
        except actions.SignUpLinkDeadError:
            return _dead_link(request)
        except actions.SignUpPasswordWrongError as error:
            form.add_error("password", error.sentence())
        else:
            pending.start(request, user=user, next_url="")
            return redirect("mfa:verify")
    context = {"sign_up": sign_up, "asks_password": asks_password}
    return web_forms.render(request, "accounts/identity/signup_confirm.html", context, form=form)


def _dead_link(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/identity/signup_link_dead.html", status=HTTPStatus.NOT_FOUND)


def _browser(request: HttpRequest, *, make: bool = False) -> str:
    """The random secret of this browser's session, which binds a sign-up to where its password was typed."""
    if make and BROWSER_KEY not in request.session:
        request.session[BROWSER_KEY] = tokens.new()
    return str(request.session.get(BROWSER_KEY, ""))

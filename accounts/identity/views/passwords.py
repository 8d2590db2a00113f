"""Changing the password when signed in, and resetting it by mail when not."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.identity import queries
from accounts.identity.actions import passwords as actions
from accounts.identity.forms import ChangePasswordForm, NewPasswordForm, ResetRequestForm
from accounts.identity.models import User
from kellexa_portal.core.actor import Actor
from kellexa_portal.web import forms as web_forms
from kellexa_portal.web import gates, stepup
from kellexa_portal.web.methods import require_http_methods, require_safe


@gates.own_account
@stepup.required(stepup.Level.FACTOR)
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password", "new_password")
def password(request: HttpRequest) -> HttpResponse:
    """Changes the own password; this session goes on under a new key, every other one ends."""
    user = request.user
    if not isinstance(user, User):
        raise Http404
    form = ChangePasswordForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_bound and form.is_valid():
        try:
            account = actions.change_password(
                actor=Actor.of(user),
                user=user,
                current=form.cleaned_data["password"],
                new=form.cleaned_data["new_password"],
                session_key=request.session.session_key or "",
            )
        except actions.CurrentPasswordWrongError as error:
            form.add_error("password", error.sentence())
        else:
            update_session_auth_hash(request, account)
            messages.success(request, _("Your password is changed. Every other session has ended."))
            return redirect("accounts:password")
    return web_forms.render(request, "accounts/identity/password.html", form=form)


@gates.public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def password_reset(request: HttpRequest) -> HttpResponse:
    """Asks for the address; the answer is the same whether or not it has an account."""
    form = ResetRequestForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return web_forms.render(request, "accounts/identity/password_reset.html", form=form)
    actions.request_reset(actor=Actor.anonymous(), email=form.cleaned_data["email"])
    return redirect("accounts:password_reset_sent")


@gates.public
@require_safe
@never_cache
def password_reset_sent(request: HttpRequest) -> HttpResponse:
    """What to do next: read the mail, if there is an account."""
    return render(request, "accounts/identity/password_reset_sent.html")


@gates.public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("new_password")
def password_reset_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Shows at GET, acts at POST. Sets the password and signs nobody in: the second factor still stands."""
    reset = queries.live_reset(token)
    if reset is None:
        actions.note_dead_link(actor=Actor.anonymous(), token=token)
        return _dead_link(request)
    template, context = "accounts/identity/password_reset_confirm.html", {"account": reset.user}
    form = NewPasswordForm(request.POST if request.method == "POST" else None, user=reset.user)
    if not form.is_bound or not form.is_valid():
        return web_forms.render(request, template, context, form=form)
    try:
        actions.reset_password(actor=Actor.anonymous(), token=token, new=form.cleaned_data["new_password"])
    except actions.SamePasswordError as error:
        form.add_error("new_password", error.sentence())
        return web_forms.render(request, template, context, form=form)
    except actions.ResetLinkDeadError:
        return _dead_link(request)
    messages.success(request, _("Your new password is set. Sign in with it."))
    return redirect("accounts:login")


def _dead_link(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/identity/password_link_dead.html", status=HTTPStatus.NOT_FOUND)

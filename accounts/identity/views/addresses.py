"""The address of one's account: ask, read the mail, confirm; and the way back."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts.identity import queries, rules
from accounts.identity.actions import addresses as actions
from accounts.identity.forms import EmailForm
from accounts.identity.models import User
from kellexa_portal.core.actor import Actor
from kellexa_portal.web import forms as web_forms
from kellexa_portal.web import gates, stepup
from kellexa_portal.web.methods import require_http_methods

page_with_form = require_http_methods(["GET", "HEAD", "POST"])


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404
    return request.user


@gates.own_account
@stepup.required(stepup.Level.FACTOR)
@page_with_form
def email(request: HttpRequest) -> HttpResponse:
    """Takes down a new address and mails it a link; the account keeps its address until that is used."""
    person = _person(request)
    form = EmailForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            actions.request_email_change(
                actor=Actor.of(person), user=person, email=form.cleaned_data["email"]
            )
        except actions.SameEmailError as error:
            form.add_error("email", error.sentence())
        else:
            minutes = rules.EMAIL_CHANGE_LIFETIME // timedelta(minutes=1)
            context = {"address": form.cleaned_data["email"], "minutes": minutes}
            return render(request, "accounts/identity/email_sent.html", context)
    return web_forms.render(request, "accounts/identity/email.html", {"person": person}, form=form)


@gates.own_account
@page_with_form
def email_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Shows at GET, acts at POST; only the signed-in person who asked can use the link."""
    person = _person(request)
    change = queries.live_email_change(token, person)
    if change is None:
        actions.note_dead_link(actor=Actor.of(person), user=person)
        return _dead_link(request)
    if request.method != "POST":
        return render(request, "accounts/identity/email_confirm.html", {"change": change})
    try:
        account = actions.change_email(
            actor=Actor.of(person), user=person, token=token, session_key=request.session.session_key or ""
        )
    except actions.EmailLinkDeadError:
        return _dead_link(request)
    update_session_auth_hash(request, account)
    messages.success(request, _("Your address is changed. Every other session has ended."))
    return redirect("accounts:email")


@gates.public
@page_with_form
@never_cache
def email_undo(request: HttpRequest, token: str) -> HttpResponse:
    """For the holder of the former address: shows at GET, brings the address back at POST."""
    change = queries.undoable_email_change(token)
    if change is None:
        actions.note_dead_link(actor=Actor.anonymous(), user=None)
        return _dead_link(request)
    if request.method != "POST":
        return render(request, "accounts/identity/email_undo.html", {"change": change})
    try:
        actions.restore_email(actor=Actor.anonymous(), token=token)
    except actions.EmailLinkDeadError:
        return _dead_link(request)
    messages.success(
        request, _("Your address is back and every session has ended. Now choose a new password.")
    )
    return redirect("accounts:password_reset")


def _dead_link(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/identity/email_link_dead.html", status=HTTPStatus.NOT_FOUND)

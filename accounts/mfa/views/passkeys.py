"""The passkeys of a signed-in person: added, named, removed."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_page
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.mfa import queries
from accounts.mfa.actions import passkeys as actions
from accounts.mfa.actions.challenges import Asker, ChallengeSpentError, Purpose
from accounts.mfa.forms import NewPasskeyForm, PasskeyNameForm, typed
from accounts.mfa.models import Passkey
from accounts.mfa.views.ceremonies import answers_scripts, ask_for_known, ask_for_new, suggested_name
from accounts.sessions import stepup
from accounts.sessions.queries import person_of, session_of
from kellexa_portal.core.actor import Actor
from kellexa_portal.web import gates
from kellexa_portal.web.forms import render
from kellexa_portal.web.methods import require_http_methods, require_post
from kellexa_portal.web.stepup import StepUpRequired

Level = stepup.Level
page_with_form = require_http_methods(["GET", "HEAD", "POST"])
UNFIT = (
    actions.PasskeyUnfitError,
    actions.PasskeyKnownError,
    actions.TooManyPasskeysError,
    ChallengeSpentError,
)


@gates.own_account
@stepup.required(Level.FACTOR)
@page_with_form
def add(request: HttpRequest) -> HttpResponse:
    """Makes another passkey, after a factor shown within minutes."""
    form = NewPasskeyForm(typed(request), begin="mfa:passkey_add_begin", name=suggested_name())
    if form.is_valid():
        try:
            actions.add_passkey(
                request,
                actor=Actor.of(person_of(request)),
                session=session_of(request),
                answer=form.cleaned_data["credential"],
                name=form.cleaned_data["name"],
            )
        except UNFIT as error:
            form.add_error(None, error.sentence())
        else:
            messages.success(request, _("The passkey is ready. Other devices were signed out."))
            return HttpResponseRedirect(reverse("mfa:overview"), status=303)
    return render(request, "accounts/mfa/passkey_add.html", form=form)


@gates.own_account
@require_post
@answers_scripts
def begin_add(request: HttpRequest) -> HttpResponse:
    """Asks for a new passkey; a session whose factor is not fresh gets no question."""
    if not stepup.is_met(request, Level.FACTOR):
        raise StepUpRequired(stepup.Demand(Level.FACTOR))
    return ask_for_new(person_of(request), Asker(Purpose.ADD, session=session_of(request)))


@gates.own_account
@require_post
@answers_scripts
def begin_step_up(request: HttpRequest) -> HttpResponse:
    """Asks for one of the person's passkeys, to show again that it is them."""
    return ask_for_known(person_of(request), Asker(Purpose.STEP_UP, session=session_of(request)))


@gates.own_account
@stepup.required(Level.FACTOR)
@page_with_form
def rename(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Gives a passkey another name."""
    passkey = _own(request, public_id)
    form = PasskeyNameForm(typed(request), initial={"name": passkey.name})
    if form.is_valid():
        actions.rename_passkey(
            actor=Actor.of(person_of(request)), passkey=passkey, name=form.cleaned_data["name"]
        )
        messages.success(request, _("The passkey has its new name."))
        return HttpResponseRedirect(reverse("mfa:overview"), status=303)
    return render(request, "accounts/mfa/passkey.html", {"passkey": passkey}, form=form)


@gates.own_account
@stepup.required(Level.FACTOR)
@page_with_form
def remove(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Says what ends with the passkey, and ends it."""
    passkey = _own(request, public_id)
    if request.method != "POST":
        is_last = not queries.has_other_factor(passkey)
        return render_page(
            request, "accounts/mfa/passkey_remove.html", {"passkey": passkey, "is_last": is_last}
        )
    actions.remove_factor(request, actor=Actor.of(person_of(request)), factor=passkey)
    messages.success(request, _("The passkey is removed. Other devices were signed out."))
    return HttpResponseRedirect(reverse("mfa:overview"), status=303)


def _own(request: HttpRequest, public_id: UUID) -> Passkey:
    passkey = queries.passkey_of(person_of(request), public_id)
    if passkey is None:
        raise Http404
    return passkey

"""The pages of a signed-in person's second factors. One of them always stays."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_page
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.identity.models import User
from accounts.mfa import queries, rules
from accounts.mfa.actions import enrolment as enrolments
from accounts.mfa.actions.guesses import WrongCodeError
from accounts.mfa.actions.passkeys import remove_factor
from accounts.mfa.actions.recovery import NewRecoveryCodes, renew_codes, renew_codes_after_step_up
from accounts.mfa.forms import CodeForm, typed
from accounts.mfa.models import Enrolment
from accounts.mfa.views import codes_page
from accounts.mfa.views.sign_in import seed_page
from accounts.sessions import stepup
from accounts.sessions.queries import live_sessions_of, person_of, session_of
from kellexa_portal.core.actor import Actor
from kellexa_portal.web import gates
from kellexa_portal.web.forms import render
from kellexa_portal.web.methods import require_http_methods, require_safe

page_with_form = require_http_methods(["GET", "HEAD", "POST"])


@gates.own_account
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """What proves that it is you: passkeys, the app, the recovery codes, the password, the devices."""
    person = person_of(request)
    left = queries.recovery_codes_left(person)
    authenticator, passkeys = queries.authenticator_of(person), list(queries.passkeys_of(person))
    context = {
        "authenticator": authenticator,
        "passkeys": passkeys,
        "has_several": len(passkeys) + (authenticator is not None) > 1,
        "codes_left": left,
        "codes_total": rules.RECOVERY_CODES,
        "are_codes_few": left <= rules.RECOVERY_CODES_FEW,
        "person": person,
        "session_count": live_sessions_of(person).count(),
    }
    return render_page(request, "accounts/mfa/overview.html", context)


@gates.own_account
@page_with_form
def replace(request: HttpRequest) -> HttpResponse:
    """Asks for a code of the present app before another may take its place; a first app replaces none."""
    if queries.authenticator_of(person_of(request)) is None:
        return HttpResponseRedirect(reverse("mfa:replace_scan"), status=303)
    form = CodeForm(typed(request), takes_focus=True)
    if form.is_valid():
        try:
            enrolments.begin_replacement(request, code=form.cleaned_data["code"])
        except WrongCodeError as error:
            form.add_error("code", error.sentence())
        else:
            return HttpResponseRedirect(reverse("mfa:replace_scan"), status=303)
    return render(request, "accounts/mfa/replace.html", {"steps": _replacement_steps()}, form=form)


@gates.own_account
@page_with_form
def replace_scan(request: HttpRequest) -> HttpResponse:
    """Shows the new app's seed and takes its first code, which makes it the factor."""
    person = person_of(request)
    is_first = queries.authenticator_of(person) is None
    enrolment = queries.enrolment_of_session(session_of(request))
    if enrolment is None and is_first:
        first: HttpResponse = _begin_first_app(request)
        return first
    if enrolment is None:
        return HttpResponseRedirect(reverse("mfa:replace"), status=303)
    return _scan(request, person, enrolment, is_first=is_first)


@stepup.required(stepup.Level.FACTOR)
def _begin_first_app(request: HttpRequest) -> HttpResponse:
    """A passkey shown within minutes stands for the code of an app that there is not."""
    enrolment = enrolments.begin_first_app(session=session_of(request))
    return _scan(request, person_of(request), enrolment, is_first=True)


def _scan(request: HttpRequest, person: User, enrolment: Enrolment, *, is_first: bool) -> HttpResponse:
    form = CodeForm(typed(request))
    if form.is_valid():
        try:
            enrolments.finish_replacement(
                request,
                actor=Actor.of(person),
                user=person,
                enrolment=enrolment,
                code=form.cleaned_data["code"],
            )
        except (WrongCodeError, enrolments.CodeOfAnotherMomentError) as error:
            form.add_error("code", error.sentence())
        else:
            messages.success(request, _("The authenticator app is set up. Other devices were signed out."))
            return HttpResponseRedirect(reverse("mfa:overview"), status=303)
    steps = _replacement_steps()
    context = {
        **seed_page(enrolment),
        "steps": steps,
        "step": 3 if form.is_bound else 2,
        "is_first": is_first,
    }
    return render(request, "accounts/mfa/replace_scan.html", context, form=form)


@gates.own_account
@page_with_form
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Makes ten new recovery codes after a code of the app, and leads to the page that shows them, once."""
    person = person_of(request)
    if queries.authenticator_of(person) is None:
        codes: HttpResponse = _codes_by_step_up(request)
        return codes
    form = CodeForm(typed(request), takes_focus=True)
    if form.is_valid():
        try:
            fresh = renew_codes(
                request,
                actor=Actor.of(person),
                session=session_of(request),
                code=form.cleaned_data["code"],
            )
        except WrongCodeError as error:
            form.add_error("code", error.sentence())
        else:
            return _new_codes(request, fresh)
    context = {"codes_left": queries.recovery_codes_left(person)}
    return render(request, "accounts/mfa/recovery_codes.html", context, form=form)


@stepup.required(stepup.Level.FACTOR)
def _codes_by_step_up(request: HttpRequest) -> HttpResponse:
    """The same for a person without an app, who shows a passkey before."""
    person = person_of(request)
    if request.method == "POST":
        actor = Actor.of(person)
        return _new_codes(
            request, renew_codes_after_step_up(request, actor=actor, session=session_of(request))
        )
    context = {"codes_left": queries.recovery_codes_left(person)}
    return render_page(request, "accounts/mfa/recovery_codes.html", context)


def _new_codes(request: HttpRequest, fresh: NewRecoveryCodes) -> HttpResponse:
    session = session_of(request)
    codes_page.give(fresh, user=session.user, holder=session.public_id)
    return HttpResponseRedirect(reverse("mfa:recovery_codes_new"), status=303)


@gates.own_account
@require_safe
def recovery_codes_new(request: HttpRequest) -> HttpResponse:
    """Shows the codes that this session has just made, to the first who asks; 410 ever after."""
    session = session_of(request)
    codes = codes_page.take(request, user=session.user, holder=session.public_id)
    context = {"codes": codes, "codes_left": queries.recovery_codes_left(session.user)}
    status = HTTPStatus.OK if codes else HTTPStatus.GONE
    return render_page(request, "accounts/mfa/recovery_codes_new.html", context, status=status)


@gates.own_account
@stepup.required(stepup.Level.FACTOR)
@page_with_form
def remove_app(request: HttpRequest) -> HttpResponse:
    """Says what ends with the authenticator app, and ends it where a passkey stays."""
    person = person_of(request)
    app = queries.authenticator_of(person)
    if app is None:
        raise Http404
    if request.method != "POST":
        context = {"app": app, "is_last": not queries.has_other_factor(app)}
        return render_page(request, "accounts/mfa/app_remove.html", context)
    remove_factor(request, actor=Actor.of(person), factor=app)
    messages.success(request, _("The authenticator app is removed. Other devices were signed out."))
    return HttpResponseRedirect(reverse("mfa:overview"), status=303)


def _replacement_steps() -> list[str]:
    return [_("Old app"), _("Scan"), _("Confirm")]

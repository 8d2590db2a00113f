"""The pages of a signed-in person's second factors. A factor is replaced, never removed."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_page
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.mfa import queries, rules
from accounts.mfa.actions import enrolment as enrolments
from accounts.mfa.actions.guesses import WrongCodeError
from accounts.mfa.actions.recovery import renew_codes
from accounts.mfa.forms import CodeForm, typed
from accounts.mfa.views.sign_in import seed_page
from accounts.sessions.queries import live_sessions_of, person_of, session_of
from kellexa_portal.core.actor import Actor
from kellexa_portal.web import gates
from kellexa_portal.web.forms import render

page_with_form = require_http_methods(["GET", "HEAD", "POST"])


@gates.own_account
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """What proves that it is you: the app, the recovery codes, the password, the devices."""
    person = person_of(request)
    left = queries.recovery_codes_left(person)
    context = {
        "authenticator": queries.authenticator_of(person),
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
    """Asks for a code of the present app before another may take its place."""
    form = CodeForm(typed(request), takes_focus=True)
    if form.is_valid():
        try:
            enrolments.begin_replacement(session=session_of(request), code=form.cleaned_data["code"])
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
    enrolment = queries.enrolment_of_session(session_of(request))
    if enrolment is None:
        return HttpResponseRedirect(reverse("mfa:replace"), status=303)
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
            messages.success(
                request, _("The new authenticator app is set up. Other devices were signed out.")
            )
            return HttpResponseRedirect(reverse("mfa:overview"), status=303)
    steps = _replacement_steps()
    context = {**seed_page(enrolment), "steps": steps, "step": 3 if form.is_bound else 2}
    return render(request, "accounts/mfa/replace_scan.html", context, form=form)


@gates.own_account
@page_with_form
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Makes ten new recovery codes after a code of the app; they stand in this one answer only."""
    person = person_of(request)
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
            return render_page(request, "accounts/mfa/recovery_codes_new.html", {"codes": fresh.codes})
    context = {"codes_left": queries.recovery_codes_left(person)}
    return render(request, "accounts/mfa/recovery_codes.html", context, form=form)


def _replacement_steps() -> list[str]:
    return [_("Old app"), _("Scan"), _("Confirm")]

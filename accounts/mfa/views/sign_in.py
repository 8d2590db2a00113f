"""The second half of a sign-in: a passkey, a code, a recovery code, or the enrolment of a first factor."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control

from accounts.identity import known_browser
from accounts.identity.models import PendingSignIn
from accounts.mfa import qr, queries
from accounts.mfa.actions import enrolment as enrolments
from accounts.mfa.actions import passkeys
from accounts.mfa.actions.assertions import REFUSALS, verify_passkey
from accounts.mfa.actions.challenges import ChallengeSpentError
from accounts.mfa.actions.guesses import NoTriesLeftError, WrongCodeError, WrongRecoveryCodeError
from accounts.mfa.actions.recovery import NewRecoveryCodes, use_recovery_code
from accounts.mfa.actions.verification import verify_code
from accounts.mfa.forms import (
    CodeForm,
    NewPasskeyForm,
    RecoveryCodeForm,
    VerifyCodeForm,
    VerifyPasskeyForm,
    typed,
)
from accounts.mfa.models import Enrolment
from accounts.mfa.views import codes_page
from accounts.mfa.views.arrivals import arrive, give_up, too_many
from accounts.mfa.views.ceremonies import suggested_name
from accounts.mfa.views.stages import Stage, due_at
from accounts.mfa.views.trusted import arrive_trusting
from accounts.sessions import trust
from accounts.sessions.actions import SignInLapsedError
from kellexa_portal.ratelimit import TooManyAttempts
from kellexa_portal.web import gates
from kellexa_portal.web.forms import render
from kellexa_portal.web.methods import require_http_methods, require_post

no_store = cache_control(no_store=True, private=True)
page_with_form = require_http_methods(["GET", "HEAD", "POST"])
VERIFY_PAGE = "accounts/mfa/verify.html"
ENROL_PAGE = "accounts/mfa/enrol.html"


@gates.public
@no_store
@page_with_form
@due_at(Stage.VERIFY)
def verify(request: HttpRequest, *, pending: PendingSignIn) -> HttpResponse:
    """Asks for a passkey or a code of the authenticator app, whichever the person has."""
    ways = _ways_of(pending)
    form = VerifyCodeForm(
        typed(request), takes_focus=ways["passkey_form"] is None, offers_trust=ways["offers_trust"]
    )
    if not form.is_valid():
        return render(request, VERIFY_PAGE, {**ways, "code_form": form}, form=form)
    next_url, browser = pending.next_url, known_browser.of(request).id_for(pending.user)
    try:
        session = verify_code(request, pending=pending, code=form.cleaned_data["code"], browser=browser)
    except WrongCodeError as error:
        form.add_error("code", error.sentence())
        return render(request, VERIFY_PAGE, {**ways, "code_form": form}, form=form)
    except TooManyAttempts as error:
        return too_many(request, VERIFY_PAGE, form, error, {**ways, "code_form": form})
    except (NoTriesLeftError, SignInLapsedError) as error:
        return give_up(request, error)
    return arrive_trusting(session, next_url, form)


@gates.public
@no_store
@require_post
@due_at(Stage.VERIFY)
def verify_with_passkey(request: HttpRequest, *, pending: PendingSignIn) -> HttpResponse:
    """Takes the answer of one of the person's passkeys."""
    ways = _ways_of(pending)
    form = _passkey_form(request.POST, offers_trust=ways["offers_trust"])
    context = {
        **ways,
        "code_form": VerifyCodeForm(offers_trust=ways["offers_trust"]),
        "code_action": reverse("mfa:verify"),
        "passkey_form": form,
    }
    if not form.is_valid():
        return render(request, VERIFY_PAGE, context, form=form)
    next_url, browser = pending.next_url, known_browser.of(request).id_for(pending.user)
    try:
        session = verify_passkey(
            request, pending=pending, answer=form.cleaned_data["credential"], browser=browser
        )
    except REFUSALS as error:
        form.add_error(None, error.sentence())
        return render(request, VERIFY_PAGE, context, form=form)
    except TooManyAttempts as error:
        return too_many(request, VERIFY_PAGE, form, error, context)
    except (NoTriesLeftError, SignInLapsedError) as error:
        return give_up(request, error)
    return arrive_trusting(session, next_url, form)


@gates.public
@no_store
@page_with_form
@due_at(Stage.VERIFY)
def recover(request: HttpRequest, *, pending: PendingSignIn) -> HttpResponse:
    """Takes a recovery code, which opens the enrolment of a new app and nothing else."""
    template = "accounts/mfa/recover.html"
    form = RecoveryCodeForm(typed(request), takes_focus=True)
    if not form.is_valid():
        return render(request, template, form=form)
    code, browser = form.cleaned_data["recovery_code"], known_browser.of(request).id_for(pending.user)
    try:
        use_recovery_code(request, pending=pending, code=code, browser=browser)
    except WrongRecoveryCodeError as error:
        form.add_error("recovery_code", error.sentence())
        return render(request, template, form=form)
    except TooManyAttempts as error:
        return too_many(request, template, form, error)
    except (NoTriesLeftError, SignInLapsedError) as error:
        return give_up(request, error)
    return HttpResponseRedirect(reverse("mfa:enrol"), status=303)


@gates.public
@no_store
@page_with_form
@due_at(Stage.ENROL, Stage.RECOVERED)
def enrol(request: HttpRequest, *, pending: PendingSignIn) -> HttpResponse:
    """Offers a passkey first, then an app; the app's first code leads to the recovery codes."""
    enrolment = enrolments.begin_enrolment(pending=pending)
    if enrolment.confirmed_at is not None:
        return HttpResponseRedirect(reverse("mfa:enrol_codes"), status=303)
    form = CodeForm(typed(request))
    if form.is_valid():
        try:
            fresh = enrolments.confirm_code(enrolment=enrolment, code=form.cleaned_data["code"])
        except (WrongCodeError, enrolments.CodeOfAnotherMomentError) as error:
            form.add_error("code", error.sentence())
        except enrolments.OutOfOrderError:
            return HttpResponseRedirect(reverse("mfa:enrol_codes"), status=303)
        else:
            return _to_codes(pending, fresh)
    context = {**_enrol_page(pending, enrolment), "code_form": form, "step": 2 if form.is_bound else 1}
    return render(request, ENROL_PAGE, context, form=form)


@gates.public
@no_store
@require_post
@due_at(Stage.ENROL, Stage.RECOVERED)
def enrol_passkey(request: HttpRequest, *, pending: PendingSignIn) -> HttpResponse:
    """Takes a new passkey as the factor to be, and leads to the recovery codes."""
    enrolment = enrolments.begin_enrolment(pending=pending)
    form = _new_passkey_form(request.POST)
    if form.is_valid():
        try:
            fresh = enrolments.confirm_passkey(
                pending=pending,
                enrolment=enrolment,
                answer=form.cleaned_data["credential"],
                name=form.cleaned_data["name"],
            )
        except (passkeys.PasskeyUnfitError, passkeys.PasskeyKnownError, ChallengeSpentError) as error:
            form.add_error(None, error.sentence())
        except enrolments.OutOfOrderError:
            return HttpResponseRedirect(reverse("mfa:enrol_codes"), status=303)
        else:
            return _to_codes(pending, fresh)
    context = {
        **_enrol_page(pending, enrolment),
        "code_action": reverse("mfa:enrol"),
        "passkey_form": form,
    }
    return render(request, ENROL_PAGE, context, form=form)


@gates.public
@no_store
@page_with_form
@due_at(Stage.ENROL, Stage.RECOVERED)
def enrol_codes(request: HttpRequest, *, pending: PendingSignIn) -> HttpResponse:
    """Shows the recovery codes once, takes one back, and so completes the sign-in."""
    enrolment = queries.enrolment_of_pending(pending)
    if enrolment is None or enrolment.confirmed_at is None:
        return HttpResponseRedirect(reverse("mfa:enrol"), status=303)
    form = RecoveryCodeForm(typed(request))
    if not form.is_valid():
        return _show_codes(request, pending, form)
    next_url = pending.next_url
    try:
        session = enrolments.finish_enrolment(
            request,
            pending=pending,
            enrolment=enrolment,
            recovery_code=form.cleaned_data["recovery_code"],
        )
    except WrongRecoveryCodeError:
        form.add_error("recovery_code", _("This is not one of the codes that were shown last."))
        return _show_codes(request, pending, form)
    except (enrolments.AlreadyEnrolledError, SignInLapsedError) as error:
        return give_up(request, error)
    messages.success(request, _("Your second factor is set up."))
    return arrive(session, next_url)


@gates.public
@no_store
@require_post
@due_at(Stage.ENROL, Stage.RECOVERED)
def enrol_new_codes(request: HttpRequest, *, pending: PendingSignIn) -> HttpResponse:
    """Shows ten other recovery codes to a person who lost sight of the first."""
    enrolment = queries.enrolment_of_pending(pending)
    if enrolment is None or enrolment.confirmed_at is None:
        return HttpResponseRedirect(reverse("mfa:enrol"), status=303)
    return _to_codes(pending, enrolments.redraw_codes(enrolment=enrolment))


def seed_page(enrolment: Enrolment) -> dict[str, Any]:
    """What a page shows to set an app up; opened for this page only."""
    key = enrolment.key
    address = qr.address_of(key=key, email=enrolment.user.email)
    return {"key": key, "address": address, "qr": qr.draw(address), "email": enrolment.user.email}


def _ways_of(pending: PendingSignIn) -> dict[str, Any]:
    """What the person can show: a passkey, a code of an app, or a recovery code."""
    factors = queries.factors_of(pending.user)
    offers_trust = trust.may_be_offered(pending.user)
    return {
        "is_federated": pending.via == PendingSignIn.Via.SSO,
        "offers_trust": offers_trust,
        "passkey_form": _passkey_form(offers_trust=offers_trust) if factors.has_passkey else None,
        "has_app": factors.has_app,
        "has_codes": factors.has_codes,
    }


def _passkey_form(data: QueryDict | None = None, *, offers_trust: bool) -> VerifyPasskeyForm:
    return VerifyPasskeyForm(data, begin="mfa:verify_passkey_begin", offers_trust=offers_trust)


def _enrol_page(pending: PendingSignIn, enrolment: Enrolment) -> dict[str, Any]:
    return {
        **seed_page(enrolment),
        **_stage_facts(pending),
        "code_form": CodeForm(),
        "passkey_form": _new_passkey_form(),
        "step": 1,
    }


def _new_passkey_form(data: QueryDict | None = None) -> NewPasskeyForm:
    return NewPasskeyForm(data, begin="mfa:enrol_passkey_begin", name=suggested_name())


def _stage_facts(pending: PendingSignIn) -> dict[str, Any]:
    steps = [_("Set up"), _("Confirm"), _("Recovery codes")]
    return {"is_recovery": pending.stage == Stage.RECOVERED, "steps": steps}


def _to_codes(pending: PendingSignIn, fresh: NewRecoveryCodes) -> HttpResponse:
    codes_page.give(fresh, user=pending.user, holder=pending.public_id)
    return HttpResponseRedirect(reverse("mfa:enrol_codes"), status=303)


def _show_codes(request: HttpRequest, pending: PendingSignIn, form: Form) -> HttpResponse:
    codes = codes_page.take(request, user=pending.user, holder=pending.public_id)
    context = {**_stage_facts(pending), "codes": codes}
    return render(request, "accounts/mfa/enrol_codes.html", context, form=form)

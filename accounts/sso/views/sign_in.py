"""The way in by an organization's identity provider."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.shortcuts import render as render_page
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control

from accounts.identity import limits
from accounts.identity import pending as half_sign_ins
from accounts.identity.models import PendingSignIn
from accounts.identity.second_step import lead_on
from accounts.identity.views.arrivals import home_if_signed_in
from accounts.sso import queries
from accounts.sso.actions.arriving import NotAdmittedError, SsoRequiredError, arrive
from accounts.sso.actions.connections import NotConnectedError, open_after_test
from accounts.sso.actions.trips import ProviderRefusedError, Return, TripLapsedError, come_back, set_out
from accounts.sso.forms import StartForm
from accounts.sso.limits import TRIPS_BY_NETWORK
from accounts.sso.models import Connection
from kellexa_portal.core.actor import Actor
from kellexa_portal.ratelimit import raise_if_spent
from kellexa_portal.web import forms as web_forms
from kellexa_portal.web import gates
from kellexa_portal.web.methods import require_http_methods, require_safe
from kellexa_portal.web.redirects import safe_next

no_store = cache_control(no_store=True, private=True)
MAX_ANSWER = 4096
TESTING = "sso_testing"


@gates.public
@no_store
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Asks for an address and leads to the provider of its domain.

    The answer depends on the domain alone: an address without an account is led there like any other.
    """
    if (home := home_if_signed_in(request)) is not None:
        return home
    next_url = safe_next(request, "")
    form = StartForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        raise_if_spent(TRIPS_BY_NETWORK, limits.network())
        connection = queries.open_connection_for(form.cleaned_data["email"])
        if connection is None:
            form.add_error(
                "email",
                _("No organization signs in with addresses of this domain. Use your password or a passkey."),
            )
        else:
            address = set_out(
                request,
                connection=connection,
                next_url=next_url,
                login_hint=form.cleaned_data["email"],
            )
            # A page and no redirect: the policy lets forms lead to this site alone.
            return render_page(
                request, "accounts/sso/go.html", {"address": address, "issuer": connection.issuer}
            )
    return web_forms.render(request, "accounts/sso/start.html", {"next_url": next_url}, form=form)


@gates.public
@no_store
@require_safe
def callback(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Takes the provider's answer: the end of a test, or half a sign-in."""
    connection = Connection.objects.select_related("organization").filter(public_id=public_id).first()
    if connection is None:
        raise Http404
    if request.method == "HEAD":
        return HttpResponse()
    answer = {name: request.GET.get(name, "")[:MAX_ANSWER] for name in ("state", "code", "iss", "error")}
    try:
        back = come_back(
            request,
            connection=connection,
            state=answer["state"],
            code=answer["code"],
            issuer=answer["iss"],
            error=answer["error"],
        )
        if back.attempt.tester is not None:
            return _tested(request, back)
        pending = arrive(
            request, connection=connection, identity=back.identity, next_url=back.attempt.next_url
        )
    except (
        TripLapsedError,
        ProviderRefusedError,
        NotAdmittedError,
        half_sign_ins.SignInOverturnedError,
    ) as error:
        messages.warning(request, error.sentence())
        if gates.is_verified(request) and request.session.pop(TESTING, False):
            return redirect("sso:settings")
        return home_if_signed_in(request) or HttpResponseRedirect(reverse("sso:start"), status=303)
    return lead_on(request, pending)


def _tested(request: HttpRequest, back: Return) -> HttpResponse:
    """Opens the provider, if it is still the tester who comes back, signed in."""
    tester = back.attempt.tester
    if tester is None or not gates.is_verified(request) or request.user != tester.user:
        raise TripLapsedError
    try:
        open_after_test(actor=Actor.of(tester.user), by=tester, connection=back.attempt.connection)
    except NotConnectedError as error:
        messages.warning(request, error.sentence())
    else:
        messages.success(
            request,
            _("The test succeeded: the provider vouched for %(email)s. Sign-in through it is open.")
            % {"email": back.identity.email},
        )
    return redirect("sso:settings")


def lead_to_provider(request: HttpRequest, pending: PendingSignIn) -> HttpResponse | None:
    """Where a right password leads a person whose organization asks for its provider instead."""
    if pending.via == PendingSignIn.Via.SSO or pending.user.locked_at is not None:
        return None
    connection = queries.enforcing(pending.user)
    if connection is None or queries.is_emergency_owner(pending.user, connection):
        return None
    half_sign_ins.clear(request)
    messages.info(request, SsoRequiredError().sentence())
    return HttpResponseRedirect(reverse("sso:start"), status=303)

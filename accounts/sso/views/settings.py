"""Where an organization connects its provider, verifies its domains and requires the one for the others."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.shortcuts import render as render_page
from django.utils.translation import gettext as _

from accounts.organizations.access import Permission, allows
from accounts.organizations.actions.evidence import authorise
from accounts.organizations.models import Membership
from accounts.organizations.views.places import READ_WRITE, actor_of, place_of, typed_before
from accounts.sso import queries, rules
from accounts.sso.actions import connections, domains
from accounts.sso.actions.trips import set_out
from accounts.sso.forms import ConnectionForm, DomainForm, EnforceForm
from accounts.sso.views.sign_in import TESTING
from kellexa_portal.core.errors import DomainError
from kellexa_portal.web import forms as web_forms
from kellexa_portal.web import gates, stepup
from kellexa_portal.web.links import absolute
from kellexa_portal.web.methods import require_http_methods, require_post

PAGE = "accounts/sso/settings.html"
SETTINGS = "sso:settings"
ENFORCE = "sso.enforce"


def _place(request: HttpRequest) -> Membership:
    """The place of somebody who may set the organization's sign-in up; refused on record for others."""
    place = place_of(request)
    return authorise(actor=actor_of(place), by=place, permission=Permission.POLICY_CHANGE)


def _place_with_domain(request: HttpRequest, public_id: UUID) -> Membership:
    """The same for one domain; another organization's is not there, whatever the role (attack case 43)."""
    if not queries.domains_of(place_of(request).organization).filter(public_id=public_id).exists():
        raise Http404
    return _place(request)


@gates.signed_in
@stepup.required(stepup.Level.FACTOR, writes_only=True)
@require_http_methods(READ_WRITE)
def settings(request: HttpRequest) -> HttpResponse:
    """The domains, the provider, and whether it is the only way in."""
    place = _place(request)
    connection = queries.connection_of(place.organization)
    data = request.POST if request.method == "POST" else None
    form = ConnectionForm(data, connection=connection, initial=typed_before(request))
    if form.is_valid():
        try:
            connections.save_connection(actor=actor_of(place), by=place, **form.cleaned_data)
        except connections.ProviderUnfitError as error:
            form.add_error("issuer", error.sentence())
        else:
            messages.success(
                request, _("The provider is saved. Test it now: until then nobody signs in through it.")
            )
            return redirect(SETTINGS)
    return _page(request, place, form, connection_form=form)


def _page(request: HttpRequest, place: Membership, form: Any, **forms: Any) -> HttpResponse:
    connection = queries.connection_of(place.organization)
    found = list(queries.domains_of(place.organization))
    context = {
        "membership": place,
        "organization": place.organization,
        "may_view_members": allows(place, Permission.MEMBERS_VIEW),
        "may_view_audit": allows(place, Permission.AUDIT_VIEW),
        "domains": found,
        "has_verified": any(domain.verified_at for domain in found),
        "connection": connection,
        "redirect_uri": absolute("sso:callback", public_id=connection.public_id) if connection else "",
        "grace_days": rules.DOMAIN_GRACE.days,
        "connection_form": ConnectionForm(None, connection=connection),
        "domain_form": DomainForm(),
        **forms,
    }
    return web_forms.render(request, PAGE, context, form=form)


@gates.signed_in
@stepup.required(stepup.Level.FACTOR, back_to=SETTINGS)
@require_post
def domain_add(request: HttpRequest) -> HttpResponse:
    """Names a domain, which then shows its TXT record."""
    place = _place(request)
    form = DomainForm(request.POST)
    if form.is_valid():
        try:
            domains.add_domain(actor=actor_of(place), by=place, name=form.cleaned_data["name"])
        except (domains.UnfitDomainError, domains.DomainKnownError) as error:
            form.add_error("name", error.sentence())
        else:
            messages.success(request, _("Now put the TXT record below into the DNS of the domain."))
            return redirect(SETTINGS)
    return _page(request, place, form, domain_form=form)


@gates.signed_in
@stepup.required(stepup.Level.FACTOR, back_to=SETTINGS)
@require_post
def domain_check(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Looks for the TXT record now."""
    place = _place_with_domain(request, public_id)
    try:
        domain = domains.verify_domain(actor=actor_of(place), by=place, public_id=public_id)
    except (
        domains.RecordMissingError,
        domains.NameServersSilentError,
        domains.DomainTakenError,
    ) as error:
        messages.warning(request, error.sentence())
    else:
        messages.success(request, _("%(domain)s is verified.") % {"domain": domain.name})
    return redirect(SETTINGS)


@gates.signed_in
@stepup.required(stepup.Level.FACTOR, back_to=SETTINGS)
@require_post
def domain_remove(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Lets go of a domain."""
    place = _place_with_domain(request, public_id)
    return _done(
        request,
        _("The domain is removed."),
        lambda: domains.remove_domain(actor=actor_of(place), by=place, public_id=public_id),
        refusals=(domains.DomainNeededError,),
    )


@gates.signed_in
@stepup.required(stepup.Level.FACTOR, back_to=SETTINGS)
@require_post
def test(request: HttpRequest) -> HttpResponse:
    """Sends whoever connected the provider through it; coming back opens it for everybody."""
    place = _place(request)
    connection = queries.connection_of(place.organization)
    if connection is None:
        messages.warning(request, connections.NotConnectedError().sentence())
        return redirect(SETTINGS)
    request.session[TESTING] = True
    address = set_out(request, connection=connection, tester=place, login_hint=place.user.email)
    return render_page(request, "accounts/sso/go.html", {"address": address, "issuer": connection.issuer})


@gates.signed_in
@require_http_methods(READ_WRITE)
def enforce(request: HttpRequest) -> HttpResponse:
    """Requires the provider of everybody but one owner, after a factor shown for exactly this."""
    place = _place(request)
    connection = queries.connection_of(place.organization)
    form = EnforceForm(
        request.POST if request.method == "POST" else None, place=place, initial=typed_before(request)
    )
    if connection is None or connection.tested_at is None:
        messages.warning(request, connections.NotConnectedError().sentence())
        return redirect(SETTINGS)
    if form.is_valid():
        owner = form.cleaned_data["emergency"]
        purpose = _("Require single sign-on in %(name)s.") % {"name": place.organization.name}
        try:
            with transaction.atomic():
                stepup.spend(request, action=ENFORCE, obj=str(connection.public_id), purpose=purpose)
                connections.enforce(actor=actor_of(place), by=place, emergency=owner.public_id)
        except (connections.NoDomainError, connections.UnfitEmergencyOwnerError) as error:
            form.add_error("emergency", error.sentence())
        else:
            messages.success(request, _("Single sign-on is now required."))
            return redirect(SETTINGS)
    context = {
        "organization": place.organization,
        "connection": connection,
        "domains": [domain for domain in queries.domains_of(place.organization) if domain.verified_at],
    }
    return web_forms.render(request, "accounts/sso/enforce.html", context, form=form)


@gates.signed_in
@stepup.required(stepup.Level.FACTOR, back_to=SETTINGS)
@require_post
def relax(request: HttpRequest) -> HttpResponse:
    """Opens the other ways in again."""
    place = _place(request)
    return _done(
        request,
        _("Single sign-on is no longer required."),
        lambda: connections.relax(actor=actor_of(place), by=place),
        refusals=(connections.NotConnectedError,),
    )


@gates.signed_in
@stepup.required(stepup.Level.FACTOR, back_to=SETTINGS)
@require_post
def disconnect(request: HttpRequest) -> HttpResponse:
    """Forgets the provider."""
    place = _place(request)
    return _done(
        request,
        _("The identity provider is disconnected."),
        lambda: connections.disconnect(actor=actor_of(place), by=place),
        refusals=(connections.NotConnectedError,),
    )


def _done(
    request: HttpRequest, sentence: str, act: Any, *, refusals: tuple[type[DomainError], ...]
) -> HttpResponse:
    try:
        act()
    except refusals as error:
        messages.warning(request, error.sentence())
    else:
        messages.success(request, sentence)
    return redirect(SETTINGS)

"""The organization's facts, its policy and its log, and the way between organizations."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.organizations import actions, queries
from accounts.organizations.access import Permission, allows, require, roles_with
from accounts.organizations.forms import MfaPolicyForm
from accounts.organizations.views.places import READ_WRITE, actor_of, place_of, render, typed_before
from kellexa_portal.audit import Stream
from kellexa_portal.audit.queries import events_of
from kellexa_portal.core.pagination import page
from kellexa_portal.web import gates, stepup
from kellexa_portal.web.methods import require_http_methods, require_post, require_safe
from kellexa_portal.web.redirects import is_safe_path

EVENTS_PER_PAGE = 50


@gates.signed_in
@require_safe
def detail(request: HttpRequest) -> HttpResponse:
    """The organization's facts, and the person's other organizations."""
    membership = require(place_of(request), Permission.ORGANIZATION_VIEW)
    standing = queries.standings_of(membership.organization, [membership], now=timezone.now())[0]
    context = {
        "others": [place for place in queries.places_of(request) if place.pk != membership.pk],
        "member_count": queries.members_of(membership).count(),
        "standing": standing,
    }
    return render(request, "detail", membership, context)


@gates.signed_in
@stepup.required(stepup.Level.FACTOR, writes_only=True)
@require_http_methods(READ_WRITE)
def policy(request: HttpRequest) -> HttpResponse:
    """What the organization demands of its people and keys; who may change it finds the form here."""
    membership = require(place_of(request), Permission.POLICY_VIEW)
    if request.method == "POST":
        actions.authorise(actor=actor_of(membership), by=membership, permission=Permission.POLICY_CHANGE)
    stored = queries.mfa_policy_of(membership.organization)
    form = MfaPolicyForm(
        request.POST if request.method == "POST" else None, policy=stored, initial=typed_before(request)
    )
    if form.is_valid():
        try:
            actions.change_mfa_policy(actor=actor_of(membership), by=membership, **form.cleaned_data)
        except actions.NotCompliantYourself as error:
            form.add_error("requirement", error.sentence())
        else:
            messages.success(request, _("The policy is saved."))
            return redirect("organizations:policy")
    context = {
        "policy": stored,
        "may_change": allows(membership, Permission.POLICY_CHANGE),
        "roles": [role.label for role in roles_with(Permission.POLICY_CHANGE)],
    }
    return render(request, "policy", membership, context, form=form)


@gates.signed_in
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """The organization's own log, newest first."""
    membership = require(place_of(request), Permission.AUDIT_VIEW)
    stream = Stream.organization(membership.organization.public_id)
    found = page(events_of(stream), cursor=request.GET.get("cursor", ""), limit=EVENTS_PER_PAGE)
    return render(request, "audit", membership, {"page": found, "person_id": str(membership.user.public_id)})


@gates.signed_in
@require_post
def switch(request: HttpRequest) -> HttpResponse:
    """Acts in another of the person's organizations from now on; any other id meets 404."""
    wanted = request.POST.get("organization", "")
    for place in queries.places_of(request):
        if str(place.organization.public_id) == wanted:
            queries.choose(request, place)
            messages.success(request, _("You now act in %(name)s.") % {"name": place.organization.name})
            target = request.POST.get("next", "")
            return redirect(target if is_safe_path(target) else "organizations:detail")
    raise Http404

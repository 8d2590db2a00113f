"""The organization's pages. Each starts from the membership in which the person acts."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.organizations import queries
from accounts.organizations.access import Permission, allows, require, roles_with
from accounts.organizations.models import Membership
from kellexa_portal.audit import Stream
from kellexa_portal.audit.queries import events_of
from kellexa_portal.core.pagination import page
from kellexa_portal.web import gates
from kellexa_portal.web.redirects import is_safe_path

EVENTS_PER_PAGE = 50


def _place(request: HttpRequest) -> Membership:
    membership = queries.active_membership(request)
    if membership is None:
        raise Http404
    return membership


def _render(
    request: HttpRequest, name: str, membership: Membership, context: dict[str, object]
) -> HttpResponse:
    common = {
        "membership": membership,
        "organization": membership.organization,
        "may_view_members": allows(membership, Permission.MEMBERS_VIEW),
        "may_view_audit": allows(membership, Permission.AUDIT_VIEW),
    }
    return render(request, f"accounts/organizations/{name}.html", common | context)


@gates.signed_in
@require_safe
def detail(request: HttpRequest) -> HttpResponse:
    """The organization's facts, and the person's other organizations."""
    membership = require(_place(request), Permission.ORGANIZATION_VIEW)
    others = [place for place in queries.places_of(request) if place.pk != membership.pk]
    count = queries.members_of(membership).count()
    return _render(request, "detail", membership, {"others": others, "member_count": count})


@gates.signed_in
@require_safe
def members(request: HttpRequest) -> HttpResponse:
    """The people of the organization, with their roles, newest first."""
    membership = require(_place(request), Permission.MEMBERS_VIEW)
    found = page(queries.members_of(membership), cursor=request.GET.get("cursor", ""))
    return _render(request, "members", membership, {"page": found})


@gates.signed_in
@require_safe
def policy(request: HttpRequest) -> HttpResponse:
    """What the organization demands of its people and keys, and who may change it."""
    membership = require(_place(request), Permission.POLICY_VIEW)
    context = {
        "may_change": allows(membership, Permission.POLICY_CHANGE),
        "roles": [role.label for role in roles_with(Permission.POLICY_CHANGE)],
    }
    return _render(request, "policy", membership, context)


@gates.signed_in
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """The organization's own log, newest first."""
    membership = require(_place(request), Permission.AUDIT_VIEW)
    stream = Stream.organization(membership.organization.public_id)
    found = page(events_of(stream), cursor=request.GET.get("cursor", ""), limit=EVENTS_PER_PAGE)
    return _render(request, "audit", membership, {"page": found, "person_id": str(membership.user.public_id)})


@gates.signed_in
@require_POST
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

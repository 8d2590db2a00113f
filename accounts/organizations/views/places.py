"""Where the pages of an organization begin and how they are drawn."""

from __future__ import annotations

from uuid import UUID

from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render as render_page

from accounts.organizations import queries
from accounts.organizations.access import Permission, allows
from accounts.organizations.models import Membership
from kellexa_portal.core.actor import Actor
from kellexa_portal.web import forms as web_forms
from kellexa_portal.web import stepup

READ_WRITE = ["GET", "HEAD", "POST"]


def place_of(request: HttpRequest) -> Membership:
    """The membership in which the person acts; 404 for a person without an organization."""
    membership = queries.active_membership(request)
    if membership is None:
        raise Http404
    return membership


def member_of(membership: Membership, public_id: UUID) -> Membership:
    """Another member of the same organization; 404 for anybody else."""
    member = queries.member_with(membership, public_id)
    if member is None:
        raise Http404
    return member


def actor_of(membership: Membership) -> Actor:
    return Actor.of(membership.user)


def typed_before(request: HttpRequest) -> dict[str, str] | None:
    """What the person had typed here before a step-up came between."""
    held = stepup.held_form(request)
    return held.dict() if held else None  # type: ignore[return-value]  # no field here takes two values


def render(
    request: HttpRequest,
    name: str,
    membership: Membership,
    context: dict[str, object],
    *,
    form: Form | None = None,
) -> HttpResponse:
    """A page of the organization, with what its tabs need."""
    template = f"accounts/organizations/{name}.html"
    common = {
        "membership": membership,
        "organization": membership.organization,
        "may_view_members": allows(membership, Permission.MEMBERS_VIEW),
        "may_view_audit": allows(membership, Permission.AUDIT_VIEW),
        "may_change_sign_in": allows(membership, Permission.POLICY_CHANGE),
    }
    if form is None:
        return render_page(request, template, common | context)
    return web_forms.render(request, template, common | context, form=form)

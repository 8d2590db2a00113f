"""The people of the organization: the list with its invitations, roles, leaving, ownership."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.organizations import access, actions, queries
from accounts.organizations.access import Permission, allows, require
from accounts.organizations.forms import InviteForm, RoleForm
from accounts.organizations.models import Invitation, Membership
from accounts.organizations.views.places import (
    READ_WRITE,
    actor_of,
    member_of,
    place_of,
    render,
    typed_before,
)
from kellexa_portal.core.pagination import page
from kellexa_portal.web import gates, stepup
from kellexa_portal.web.methods import require_http_methods, require_post

MEMBERS = "organizations:members"
TRANSFER = "organization.transfer"


@gates.signed_in
@stepup.required(stepup.Level.FACTOR, writes_only=True)
@require_http_methods(READ_WRITE)
def members(request: HttpRequest) -> HttpResponse:
    """The people, newest first, and who was invited; the form on it invites."""
    membership = place_of(request)
    if request.method == "POST":
        actions.authorise(actor=actor_of(membership), by=membership, permission=Permission.MEMBERS_MANAGE)
    require(membership, Permission.MEMBERS_VIEW)
    data = request.POST if request.method == "POST" else None
    form = InviteForm(data, by=membership, initial=typed_before(request))
    if form.is_valid():
        try:
            actions.invite(actor=actor_of(membership), by=membership, **form.cleaned_data)
        except (actions.AlreadyInvited, actions.AlreadyMember) as error:
            form.add_error("email", error.sentence())
        else:
            messages.success(request, _("%(email)s was invited.") % {"email": form.cleaned_data["email"]})
            return redirect(MEMBERS)
    return _list(request, membership, form)


def _list(request: HttpRequest, membership: Membership, form: InviteForm) -> HttpResponse:
    now = timezone.now()
    found = page(queries.members_of(membership), cursor=request.GET.get("cursor", ""))
    may_manage = allows(membership, Permission.MEMBERS_MANAGE)
    invitations: list[Invitation] = []
    if may_manage:
        invitations = list(queries.open_invitations(membership).order_by("-sent_at", "-pk"))
    context = {
        "page": found,
        "rows": queries.standings_of(membership.organization, found.items, now=now),
        "asks_for_passkey": queries.mfa_policy_of(membership.organization).asks_for_passkey,
        "invitations": invitations,
        "may_manage": may_manage,
    }
    return render(request, "members", membership, context, form=form)


@gates.signed_in
@stepup.required(stepup.Level.FACTOR, writes_only=True)
@require_http_methods(READ_WRITE)
def member(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One person's place: its form changes the role, its links remove and hand over."""
    membership, someone = _managed(request, public_id)
    data = request.POST if request.method == "POST" else None
    form = RoleForm(data, by=membership, initial=typed_before(request) or {"role": someone.role})
    if form.is_valid():
        try:
            actions.change_role(
                actor=actor_of(membership), by=membership, member=someone, role=form.cleaned_data["role"]
            )
        except actions.LastOwner as error:
            form.add_error("role", error.sentence())
        else:
            messages.success(request, _("The role of %(name)s is saved.") % {"name": someone.user.name})
            return redirect(MEMBERS)
    is_self = someone.pk == membership.pk
    context = {
        "member": someone,
        "is_self": is_self,
        "may_change": access.may_hand_out(membership, someone.role),
        "may_transfer": _may_take_over(membership, someone),
    }
    return render(request, "member", membership, context, form=form)


@gates.signed_in
@stepup.required(stepup.Level.FACTOR, writes_only=True)
@require_http_methods(READ_WRITE)
def remove(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Says what ends with a removal, and removes."""
    membership, someone = _managed(request, public_id)
    if request.method == "POST":
        actions.remove_member(actor=actor_of(membership), by=membership, member=someone)
        messages.success(
            request,
            _("%(name)s no longer belongs to %(organization)s.")
            % {"name": someone.user.name, "organization": membership.organization.name},
        )
        return redirect("overview:checkup" if someone.pk == membership.pk else MEMBERS)
    return render(request, "remove", membership, {"member": someone})


@gates.signed_in
@stepup.required(stepup.Level.FACTOR, writes_only=True)
@require_http_methods(READ_WRITE)
def leave(request: HttpRequest) -> HttpResponse:
    """One's own way out, open in every role and also while a policy closes the rest."""
    membership = queries.chosen_membership(request)
    if membership is None:
        raise Http404
    if request.method == "POST":
        actions.leave(actor=actor_of(membership), by=membership)
        messages.success(request, _("You left %(name)s.") % {"name": membership.organization.name})
        return redirect("overview:checkup")
    return render(request, "leave", membership, {})


@gates.signed_in
@require_http_methods(READ_WRITE)
def transfer(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Hands the ownership over, after a factor shown for exactly this."""
    membership, someone = _managed(request, public_id)
    if not _may_take_over(membership, someone):
        raise Http404
    if request.method == "POST":
        names = {"name": someone.user.name, "organization": membership.organization.name}
        purpose = _("Make %(name)s an owner of %(organization)s in your place.") % names
        with transaction.atomic():
            stepup.spend(request, action=TRANSFER, obj=str(someone.public_id), purpose=purpose)
            actions.transfer_ownership(actor=actor_of(membership), by=membership, to=someone)
        messages.success(request, _("%(name)s now owns %(organization)s. You are an admin of it.") % names)
        return redirect(MEMBERS)
    return render(request, "transfer", membership, {"member": someone})


@gates.signed_in
@stepup.required(stepup.Level.FACTOR, back_to=MEMBERS)
@require_post
def resend(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Sends an open invitation again; the former link is dead."""
    membership, invitation = _invitation(request, public_id)
    actions.resend(actor=actor_of(membership), by=membership, invitation=invitation)
    messages.success(
        request,
        _("The invitation of %(email)s was sent again. The former link no longer works.")
        % {"email": invitation.email},
    )
    return redirect(MEMBERS)


@gates.signed_in
@stepup.required(stepup.Level.FACTOR, back_to=MEMBERS)
@require_post
def withdraw(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Takes an open invitation back."""
    membership, invitation = _invitation(request, public_id)
    actions.withdraw(actor=actor_of(membership), by=membership, invitation=invitation)
    messages.success(request, _("The invitation of %(email)s was withdrawn.") % {"email": invitation.email})
    return redirect(MEMBERS)


def _managed(request: HttpRequest, public_id: UUID) -> tuple[Membership, Membership]:
    """The acting person's place and the member whom they manage; refused on record without the right."""
    membership = place_of(request)
    someone = member_of(membership, public_id)
    actions.authorise(actor=actor_of(membership), by=membership, permission=Permission.MEMBERS_MANAGE)
    return membership, someone


def _invitation(request: HttpRequest, public_id: UUID) -> tuple[Membership, Invitation]:
    membership = place_of(request)
    found = queries.invitation_with(membership, public_id)
    if found is None:
        raise Http404
    return membership, found


def _may_take_over(giver: Membership, taker: Membership) -> bool:
    """Whether the page offers it at all; the action asks again under the organization's lock."""
    owner = Membership.Role.OWNER
    return giver.role == owner and taker.role != owner and taker.user.is_active

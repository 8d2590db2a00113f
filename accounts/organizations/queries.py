"""Reads of organizations; each starts from the membership of the person who asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import (
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    QuerySet,
    Value,
)
from django.db.models.functions import Greatest
from django.http import HttpRequest
from django.utils import timezone

from accounts.identity import tokens
from accounts.identity.models import User
from accounts.organizations import compliance, rules
from accounts.organizations.access import OrganizationClosed, may_hand_out
from accounts.organizations.models import Invitation, Membership, MfaPolicy, MfaReminder, Organization
from kellexa_portal.ui.navigation import OrganizationChoice, OrganizationMenu

SESSION_KEY = "active_organization"
_PLACES = "_kellexa_memberships"


def memberships_of(user: Any) -> QuerySet[Membership]:
    """The places of ``user``, oldest first, with their organizations; none for staff and strangers."""
    if not user.is_authenticated or not user.is_active or user.is_staff:
        return Membership.objects.none()
    return Membership.objects.filter(user=user).select_related("organization__mfa_policy").order_by("pk")


def places_of(request: HttpRequest) -> list[Membership]:
    """The places of the person who asks; one query a request, however often it is asked."""
    if not hasattr(request, _PLACES):
        user: Any = getattr(request, "user", None)
        places = list(memberships_of(user)) if user is not None else []
        for membership in places:
            membership.user = user
        setattr(request, _PLACES, places)
    found: list[Membership] = getattr(request, _PLACES)
    return found


def chosen_membership(request: HttpRequest) -> Membership | None:
    """The place that the person chose in this session, else their first, be it open to them or closed.

    A choice that no longer holds falls back silently, so that a removed person keeps no access and
    meets no broken page.
    """
    places = places_of(request)
    if not places:
        return None
    chosen = str(request.session.get(SESSION_KEY, ""))
    return next((place for place in places if str(place.organization.public_id) == chosen), places[0])


def active_membership(request: HttpRequest) -> Membership | None:
    """The place in which the person acts now; every page of an organization asks for it here.

    Raises ``OrganizationClosed`` when the second-factor policy of that organization shuts the person
    out, which ``middleware`` answers with the way back in.
    """
    place = chosen_membership(request)
    if place is not None and is_closed_to(place, now=timezone.now()):
        raise OrganizationClosed(place)
    return place


def choose(request: HttpRequest, membership: Membership) -> None:
    """Makes ``membership`` the one in which the person acts for the rest of the session."""
    request.session[SESSION_KEY] = str(membership.organization.public_id)


def menu_of(request: HttpRequest) -> OrganizationMenu | None:
    """The organization switcher of the layout; ``None`` for a person without an organization."""
    active = chosen_membership(request)
    if active is None:
        return None
    return OrganizationMenu(
        name=active.organization.name,
        switch_url_name="organizations:switch",
        choices=tuple(
            OrganizationChoice(
                str(place.organization.public_id), place.organization.name, place.pk == active.pk
            )
            for place in places_of(request)
        ),
    )


def members_of(membership: Membership) -> QuerySet[Membership]:
    """The people of the same organization, with their accounts."""
    return Membership.objects.filter(organization=membership.organization_id).select_related("user")


def member_with(membership: Membership, public_id: Any) -> Membership | None:
    """The member of the same organization with this id; foreign and unknown ids answer alike."""
    return members_of(membership).select_related("organization").filter(public_id=public_id).first()


def owners_and(organization: Organization, person: User) -> list[User]:
    """Who is told of a change that ``person`` made to the whole organization: the owners and they."""
    owners = organization.memberships.filter(role=Membership.Role.OWNER).select_related("user").order_by("pk")
    return list(dict.fromkeys([*(owner.user for owner in owners), person]))


# --- The second-factor policy -------------------------------------------------------------------


def mfa_policy_of(organization: Organization) -> MfaPolicy:
    """The organization's policy; one that was never saved holds what the platform asks of everyone."""
    try:
        return organization.mfa_policy
    except ObjectDoesNotExist:
        return MfaPolicy(organization=organization)


def is_asked_for_passkey(user: User) -> bool:
    """Whether any organization of ``user`` asks its people for a passkey, its grace over or not."""
    return Membership.objects.filter(
        user=user, organization__mfa_policy__requirement=MfaPolicy.Requirement.PHISHING_RESISTANT
    ).exists()


def is_closed_to(membership: Membership, *, now: datetime) -> bool:
    """Whether the policy shuts this person out of this organization now; asked live, stored nowhere."""
    due = mfa_policy_of(membership.organization).due_at(membership)
    if due is None or due > now:
        return False
    return membership.user_id not in compliance.phishing_resistant_among([membership.user_id])


@dataclass(frozen=True, slots=True)
class Standing:
    """One member, and how they stand with the policy: ``due_at`` only while they don't comply."""

    membership: Membership
    complies: bool
    due_at: datetime | None
    is_closed: bool


def standings_of(
    organization: Organization, members: Sequence[Membership], *, now: datetime
) -> list[Standing]:
    """How each of ``members`` stands with the policy, for the list; one query for all of them."""
    policy = mfa_policy_of(organization)
    asked = {member.user_id for member in members} if policy.asks_for_passkey else set()
    complying = compliance.phishing_resistant_among(asked)
    found = []
    for member in members:
        complies = not policy.asks_for_passkey or member.user_id in complying
        due = None if complies else policy.due_at(member)
        found.append(Standing(member, complies, due, due is not None and due <= now))
    return found


def untold_of_mfa_policy(now: datetime) -> QuerySet[Membership]:
    """The people whose date is within the first stage and who have not been told of its last."""
    due = ExpressionWrapper(
        Greatest(F("created_at"), F("organization__mfa_policy__set_at"))
        + ExpressionWrapper(
            Value(timedelta(days=1)) * F("organization__mfa_policy__grace_days"),
            output_field=DurationField(),
        ),
        output_field=DateTimeField(),
    )
    told = MfaReminder.objects.filter(
        membership=OuterRef("pk"), due_at=OuterRef("due"), stage=min(rules.STAGES)
    )
    return (
        Membership.objects.filter(
            organization__mfa_policy__requirement=MfaPolicy.Requirement.PHISHING_RESISTANT,
            user__is_active=True,
        )
        .annotate(due=due)
        .filter(~Exists(told), due__lte=now + timedelta(days=max(rules.STAGES)))
        .select_related("organization__mfa_policy", "user")
        .order_by("pk")
    )


# --- Invitations --------------------------------------------------------------------------------


def open_invitations(membership: Membership) -> QuerySet[Invitation]:
    """The offers of the same organization that nobody has taken or withdrawn, expired ones among them."""
    return (
        Invitation.objects.open()
        .filter(organization=membership.organization_id)
        .select_related("organization", "invited_by")
    )


def invitation_with(membership: Membership, public_id: Any) -> Invitation | None:
    """The open invitation with this id; foreign, ended and unknown ids answer alike."""
    return open_invitations(membership).filter(public_id=public_id).first()


def invitation_of(token: str) -> Invitation | None:
    """The invitation behind a mailed link, working or not; for evidence, never for admission."""
    found = Invitation.objects.select_related("organization", "invited_by")
    return found.filter(token_hash=tokens.digest(token)).first()


def live_invitation(token: str) -> Invitation | None:
    """The invitation behind a mailed link, if it works now: unused, in time, and its sender still may."""
    found = (
        Invitation.objects.open()
        .select_related("organization", "invited_by")
        .filter(token_hash=tokens.digest(token), expires_at__gt=timezone.now())
        .first()
    )
    return found if found is not None and _is_backed(found) else None


def _is_backed(invitation: Invitation) -> bool:
    """Whether the sender could send it again today: a removed or weakened admin leaves no door behind."""
    sender = Membership.objects.filter(
        organization=invitation.organization_id,
        user=invitation.invited_by_id,
        user__is_active=True,
        user__locked_at=None,
    ).first()
    return sender is not None and may_hand_out(sender, invitation.role)

"""How organizations begin, and how the system gives people a place."""

from __future__ import annotations

from django.db import transaction

from accounts.identity.models import User
from accounts.organizations import rules
from accounts.organizations.access import Forbidden, Permission
from accounts.organizations.actions import evidence
from accounts.organizations.actions.errors import (
    AlreadyMember,
    InvalidOrganizationName,
    NoSuchOrganization,
    UnknownRole,
)
from accounts.organizations.events import OrganizationEvent
from accounts.organizations.models import Membership, Organization
from kellexa_portal.audit import record
from kellexa_portal.core.actor import Actor, ActorType


def create_organization(
    *, actor: Actor, owner: User, name: str, kind: str = Organization.Kind.CUSTOMER
) -> Membership:
    """A new organization with ``owner`` as its first member; answers the owner's membership."""
    with transaction.atomic():
        evidence.refuse_staff(owner.is_staff)
        cleaned = rules.clean_name(name)
        if cleaned is None:
            raise InvalidOrganizationName
        organization = Organization.objects.create(name=cleaned, kind=kind)
        membership = Membership.objects.create(
            organization=organization, user=owner, role=Membership.Role.OWNER
        )
        record(
            OrganizationEvent.CREATED,
            actor=actor,
            stream=evidence.stream_of(organization),
            target=evidence.target_of(organization),
            changes={"kind": organization.kind},
        )
        evidence.note_member(OrganizationEvent.MEMBER_ADDED, actor=actor, membership=membership)
        return membership


def join_platform(*, actor: Actor, user: User) -> Membership:
    """The owner's place of ``user`` in Kellexa's own organization, which is made when there is none.

    Only the system may: whoever sits there may verify the keys of every customer.
    """
    if actor.type is not ActorType.SYSTEM:
        raise Forbidden
    with transaction.atomic():
        evidence.refuse_staff(user.is_staff)
        User.objects.select_for_update().get(pk=user.pk)
        platform = (
            Organization.objects.select_for_update()
            .filter(kind=Organization.Kind.PLATFORM)
            .order_by("pk")
            .first()
        )
        if platform is None:
            return create_organization(
                actor=actor, owner=user, name="Kellexa", kind=Organization.Kind.PLATFORM
            )
        present = Membership.objects.filter(organization=platform, user=user).first()
        if present is not None:
            return present
        return add_member(actor=actor, organization=platform, user=user, role=Membership.Role.OWNER)


def add_member(
    *, actor: Actor, organization: Organization, user: User, role: str, by: Membership | None = None
) -> Membership:
    """Gives ``user`` a place; ``by`` is the acting person's own place, needed of everyone but the system."""
    with transaction.atomic():
        if actor.type is not ActorType.SYSTEM:
            place = evidence.authorise(actor=actor, by=by, permission=Permission.MEMBERS_MANAGE)
            if place.organization_id != organization.pk:
                raise NoSuchOrganization
        if role not in Membership.Role.values:
            raise UnknownRole
        return give_place(actor=actor, organization=evidence.lock(organization.pk), user=user, role=role)


def give_place(*, actor: Actor, organization: Organization, user: User, role: str) -> Membership:
    """The new place of ``user`` in an organization that the caller holds; the caller says who may."""
    evidence.refuse_staff(user.is_staff)
    if Membership.objects.filter(organization=organization, user=user).exists():
        raise AlreadyMember
    membership = Membership.objects.create(organization=organization, user=user, role=Membership.Role(role))
    evidence.note_member(OrganizationEvent.MEMBER_ADDED, actor=actor, membership=membership)
    return membership

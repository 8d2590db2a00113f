"""Every write to organizations and memberships."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.identity.models import User
from accounts.organizations import rules
from accounts.organizations.access import Forbidden, Permission, allows
from accounts.organizations.events import OrganizationEvent
from accounts.organizations.models import Membership, Organization
from kellexa_portal.audit import Outcome, Stream, Target, record, record_independently
from kellexa_portal.core.actor import Actor, ActorType
from kellexa_portal.core.errors import DomainError, Fault


class StaffHaveNoMembership(DomainError):
    """Staff and customers are disjoint: a member of staff with a customer's rights could hide behind them."""

    code = "staff_have_no_membership"
    fault = Fault.CONFLICT
    message = _("Staff accounts can’t belong to a customer’s organization.")


class AlreadyMember(DomainError):
    code = "already_member"
    fault = Fault.CONFLICT
    message = _("This person already belongs to the organization.")


class InvalidOrganizationName(DomainError):
    code = "invalid_organization_name"
    fault = Fault.INVALID
    message = _("An organization’s name has 1 to 120 characters and no control characters.")


class UnknownRole(DomainError):
    code = "unknown_role"
    fault = Fault.INVALID
    message = _("Choose one of the offered roles.")


class NoSuchOrganization(DomainError):
    """Unknown and foreign organizations are refused alike."""

    code = "not_found"
    fault = Fault.NOT_FOUND
    message = _("There is nothing at this address, or you may not see it.")


def authorise(*, actor: Actor, by: Membership | None, permission: Permission) -> Membership:
    """The acting person's place, if it includes ``permission``; raises ``Forbidden`` otherwise.

    The refusal goes on the organization's record in a transaction that survives it, so that somebody who
    tries what their role forbids is seen.
    """
    if by is None:
        raise Forbidden
    if not allows(by, permission):
        record_independently(
            OrganizationEvent.ACCESS_DENIED,
            actor=actor,
            stream=Stream.organization(by.organization.public_id),
            target=Target("organization", str(by.organization.public_id)),
            outcome=Outcome.DENIED,
            reason="role",
            changes={"attempt": str(permission), "role": by.role},
        )
        raise Forbidden
    return by


def create_organization(
    *, actor: Actor, owner: User, name: str, kind: str = Organization.Kind.CUSTOMER
) -> Membership:
    """A new organization with ``owner`` as its first member; answers the owner's membership."""
    with transaction.atomic():
        _refuse_staff(owner)
        cleaned = rules.clean_name(name)
        if cleaned is None:
            raise InvalidOrganizationName
        organization = Organization.objects.create(name=cleaned, kind=kind)
        membership = Membership.objects.create(
            organization=organization, user=owner, role=Membership.Role.OWNER
        )
        stream = Stream.organization(organization.public_id)
        record(
            OrganizationEvent.CREATED,
            actor=actor,
            stream=stream,
            target=Target("organization", str(organization.public_id)),
            changes={"kind": organization.kind},
        )
        _record_joined(actor, membership)
        return membership


def join_platform(*, actor: Actor, user: User) -> Membership:
    """The owner's place of ``user`` in Kellexa's own organization, which is made when there is none.

    Only the system may: whoever sits there may verify the keys of every customer.
    """
    if actor.type is not ActorType.SYSTEM:
        raise Forbidden
    with transaction.atomic():
        _refuse_staff(user)
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
            place = authorise(actor=actor, by=by, permission=Permission.MEMBERS_MANAGE)
            _require_same_organization(place, organization)
        if role not in Membership.Role.values:
            raise UnknownRole
        _refuse_staff(user)
        Organization.objects.select_for_update().get(pk=organization.pk)
        if Membership.objects.filter(organization=organization, user=user).exists():
            raise AlreadyMember
        membership = Membership.objects.create(
            organization=organization, user=user, role=Membership.Role(role)
        )
        _record_joined(actor, membership)
        return membership


def _refuse_staff(user: User) -> None:
    if user.is_staff:
        raise StaffHaveNoMembership


def _require_same_organization(membership: Membership, organization: Organization) -> None:
    if membership.organization_id != organization.pk:
        raise NoSuchOrganization


def _record_joined(actor: Actor, membership: Membership) -> None:
    record(
        OrganizationEvent.MEMBER_ADDED,
        actor=actor,
        stream=Stream.organization(membership.organization.public_id),
        target=Target("member", str(membership.user.public_id)),
        changes={"role": membership.role},
    )

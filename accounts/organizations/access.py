"""What each role may do, and which organizations a person may see: the only place that decides either.

Roles map to permissions in code, so that a row in the database can never invent a right. Exceptions
for one object are guardian's, in the ``access`` module of the app that owns the object, through a
permission model with a direct foreign key; global permissions never count.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.organizations.models import Membership, Organization
from kellexa_portal.core.errors import DomainError, Fault

if TYPE_CHECKING:
    from accounts.identity.models import User


class Permission(StrEnum):
    """One thing that a role allows, alphabetical; ``area.verb``."""

    AUDIT_EXPORT = "audit.export"
    AUDIT_VIEW = "audit.view"
    KEYS_CREATE_PERSONAL = "keys.create_personal"
    KEYS_MANAGE = "keys.manage"
    KEYS_VIEW = "keys.view"
    KEYS_VIEW_ALL = "keys.view_all"
    MEMBERS_MANAGE = "members.manage"
    MEMBERS_VIEW = "members.view"
    ORGANIZATION_CHANGE = "organization.change"
    ORGANIZATION_VIEW = "organization.view"
    POLICY_CHANGE = "policy.change"
    POLICY_VIEW = "policy.view"


_EVERYONE = frozenset({Permission.KEYS_VIEW, Permission.ORGANIZATION_VIEW, Permission.POLICY_VIEW})
_OVERSIGHT = _EVERYONE | {
    Permission.AUDIT_EXPORT,
    Permission.AUDIT_VIEW,
    Permission.KEYS_VIEW_ALL,
    Permission.MEMBERS_VIEW,
}
_SECURITY = _OVERSIGHT | {Permission.KEYS_CREATE_PERSONAL, Permission.KEYS_MANAGE}

ROLE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    Membership.Role.OWNER: frozenset(Permission),
    Membership.Role.ADMIN: frozenset(Permission),
    Membership.Role.SECURITY: _SECURITY,
    Membership.Role.MEMBER: _EVERYONE | {Permission.KEYS_CREATE_PERSONAL},
    Membership.Role.AUDITOR: _OVERSIGHT,
}


class Forbidden(DomainError):
    """The person belongs here, but their role does not include this."""

    code = "forbidden"
    fault = Fault.FORBIDDEN
    message = _("Your role doesn’t include this. An owner of your organization can change roles.")


class OrganizationClosed(DomainError):
    """The person belongs here but does not meet the second-factor policy, and their grace is over."""

    code = "organization_closed"
    fault = Fault.FORBIDDEN
    message = _("This organization asks for a passkey. Add one to your account to go on.")

    def __init__(self, membership: Membership) -> None:
        super().__init__()
        self.membership = membership


def permissions_of(role: str) -> frozenset[Permission]:
    """What ``role`` may do; nothing for a role that this code does not know."""
    return ROLE_PERMISSIONS.get(role, frozenset())


def allows(membership: Membership | None, permission: Permission) -> bool:
    """Whether this place in an organization includes ``permission``; no place includes nothing."""
    return membership is not None and permission in permissions_of(membership.role)


def require(membership: Membership | None, permission: Permission) -> Membership:
    """The membership, if it includes ``permission``; raises ``Forbidden`` otherwise."""
    if membership is None or not allows(membership, permission):
        raise Forbidden
    return membership


def may_hand_out(membership: Membership, role: str) -> bool:
    """Whether this place may give, and take, ``role``: with ``members.manage``, and none above its own.

    Attack case 41: whoever hands out more than they hold, holds it themselves a minute later.
    """
    if not allows(membership, Permission.MEMBERS_MANAGE) or role not in Membership.Role.values:
        return False
    strongest_first = list(Membership.Role)
    return strongest_first.index(Membership.Role(role)) >= strongest_first.index(
        Membership.Role(membership.role)
    )


def roles_to_hand_out(membership: Membership) -> list[Membership.Role]:
    """The roles that ``may_hand_out`` admits, strongest first."""
    return [role for role in Membership.Role if may_hand_out(membership, role)]


def roles_with(permission: Permission) -> list[Membership.Role]:
    """The roles that include ``permission``, strongest first, for pages that say who may."""
    return [role for role in Membership.Role if permission in permissions_of(role)]


def may_view(user: User, organization: Organization) -> bool:
    """Whether ``user`` may know of ``organization``: by membership alone, never by being staff."""
    if not user.is_active or user.is_staff:
        return False
    membership = Membership.objects.filter(user=user, organization=organization).first()
    return allows(membership, Permission.ORGANIZATION_VIEW)


def visible_to(user: User) -> QuerySet[Organization]:
    """The organizations that ``may_view`` admits, as one query."""
    if not user.is_active or user.is_staff:
        return Organization.objects.none()
    roles = roles_with(Permission.ORGANIZATION_VIEW)
    return Organization.objects.filter(memberships__user=user, memberships__role__in=roles)

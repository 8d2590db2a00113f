"""Who may see, rotate and revoke which key. The only place that names guardian.

Every question starts from a membership, so that a key of another organization is never even looked at.
Roles give the rule; guardian holds the exception: one person, one service key, without global fallback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q
from guardian.shortcuts import assign_perm, get_objects_for_user, remove_perm

from accounts.credentials.models import ApiKey, ApiKeyQuerySet, ServiceKeyUserObjectPermission
from accounts.organizations.access import Permission, allows
from accounts.organizations.models import Membership, Organization

if TYPE_CHECKING:
    from accounts.identity.models import User

STAFF_REVOKE = "credentials.revoke_apikey"

VIEW_EXCEPTION = "credentials.view_service_key"
ROTATE_EXCEPTION = "credentials.rotate_service_key"


def visible_to(membership: Membership) -> ApiKeyQuerySet:
    """The keys that ``may_view`` admits, as one query."""
    keys = ApiKey.objects.filter(organization=membership.organization_id)
    if not allows(membership, Permission.KEYS_VIEW):
        return keys.none()
    if allows(membership, Permission.KEYS_VIEW_ALL):
        return keys
    own = Q(kind=ApiKey.Kind.PERSONAL, owner=membership.user_id)
    return keys.filter(own | Q(pk__in=_exceptions(membership, VIEW_EXCEPTION).values("pk")))


def may_view(membership: Membership, key: ApiKey) -> bool:
    """Whether the person may know of the key: their own, all of them by role, or by an exception."""
    if key.organization_id != membership.organization_id or not allows(membership, Permission.KEYS_VIEW):
        return False
    if allows(membership, Permission.KEYS_VIEW_ALL) or _is_own(membership, key):
        return True
    return _has_exception(membership, key, VIEW_EXCEPTION)


def may_rotate(membership: Membership, key: ApiKey) -> bool:
    """Whether the person may be handed the successor's token.

    A personal key by its owner only: whoever else rotated it could act in the owner's name.
    """
    if key.organization_id != membership.organization_id:
        return False
    if key.is_personal:
        return _is_own(membership, key) and allows(membership, Permission.KEYS_CREATE_PERSONAL)
    return allows(membership, Permission.KEYS_MANAGE) or _has_exception(membership, key, ROTATE_EXCEPTION)


def may_revoke(membership: Membership, key: ApiKey) -> bool:
    """Whether the person may end the key: one's own always, anyone's with ``keys.manage``."""
    if key.organization_id != membership.organization_id:
        return False
    return allows(membership, Permission.KEYS_MANAGE) or _is_own(membership, key)


def may_create(membership: Membership, kind: str) -> bool:
    """Whether the person may make a key of this kind."""
    needed = Permission.KEYS_CREATE_PERSONAL if kind == ApiKey.Kind.PERSONAL else Permission.KEYS_MANAGE
    return allows(membership, needed)


def grant_exception(user: User, key: ApiKey) -> None:
    """Lets a contact see and rotate this one service key, whatever their role."""
    assign_perm(VIEW_EXCEPTION, user, key)
    assign_perm(ROTATE_EXCEPTION, user, key)


def withdraw_exception(user: User, key: ApiKey) -> None:
    """Takes back what ``grant_exception`` gave."""
    remove_perm(VIEW_EXCEPTION, user, key)
    remove_perm(ROTATE_EXCEPTION, user, key)


def with_exception(user: User, organization: Organization) -> set[int]:
    """The service keys of ``organization``, by primary key, for which ``user`` has any exception."""
    rows = ServiceKeyUserObjectPermission.objects.filter(user=user, content_object__organization=organization)
    return set(rows.values_list("content_object_id", flat=True))


def _is_own(membership: Membership, key: ApiKey) -> bool:
    return key.is_personal and key.owner_id == membership.user_id


def _has_exception(membership: Membership, key: ApiKey, permission: str) -> bool:
    return _exceptions(membership, permission).filter(pk=key.pk).exists()


def _exceptions(membership: Membership, permission: str) -> ApiKeyQuerySet:
    """Service keys of this organization for which the person has the exception."""
    found = get_objects_for_user(
        membership.user,
        permission,
        klass=ApiKey.objects.filter(organization=membership.organization_id, kind=ApiKey.Kind.SERVICE),
        use_groups=False,
        with_superuser=False,
        accept_global_perms=False,
    )
    return ApiKey.objects.filter(pk__in=found.values("pk"))

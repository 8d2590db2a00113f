"""What an actor may do to an account. Which staff may do what is one table: ``kellexa_portal.staff``."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts.identity.models import StaffAssignment, User
from kellexa_portal.core.actor import Actor, ActorType
from kellexa_portal.core.errors import DomainError, Fault

VIEW_PEOPLE = "accounts.view_user"
MANAGE_PEOPLE = "accounts.manage_people"


class NotPermittedError(DomainError):
    """The actor's roles don't include this."""

    code = "accounts.not_permitted"
    fault = Fault.FORBIDDEN
    message = _("Your role doesn’t include this.")


def staff_roles(user: User) -> frozenset[str]:
    """The roles that ``user`` holds as staff; none for a customer or an inactive account."""
    if not (user.is_active and user.is_staff):
        return frozenset()
    return frozenset(StaffAssignment.objects.filter(user=user).values_list("role", flat=True))


def may_view_people(user: User) -> bool:
    """Whether ``user`` may see the list of accounts."""
    return user.has_perm(VIEW_PEOPLE)


def may_manage_people(user: User) -> bool:
    """Whether ``user`` may deactivate and reactivate accounts."""
    return user.has_perm(MANAGE_PEOPLE)


def require_staff(actor: Actor, permission: str) -> None:
    """Raises ``NotPermittedError`` unless ``actor`` is active staff whose roles give ``permission`` now."""
    person = User.objects.filter(public_id=UUID(actor.id)).first() if actor.type is ActorType.STAFF else None
    if person is None or not person.is_staff or not person.has_perm(permission):
        raise NotPermittedError


def is_oneself(actor: Actor, user: User) -> bool:
    """Whether ``actor`` is ``user`` in person, customer or staff; never a key, whatever its id."""
    return actor.type in {ActorType.PERSON, ActorType.STAFF} and actor.id == str(user.public_id)


def require_oneself(actor: Actor, user: User) -> None:
    """Raises ``NotPermittedError`` unless ``actor`` is ``user`` in person."""
    if not is_oneself(actor, user):
        raise NotPermittedError


def require_system(actor: Actor) -> None:
    """Raises ``NotPermittedError`` unless the portal itself, or its operator's command line, acts."""
    if actor.type is not ActorType.SYSTEM:
        raise NotPermittedError


def require_say_over(actor: Actor, user: User) -> None:
    """Raises ``NotPermittedError`` unless ``actor`` is ``user``, the portal, or staff who manage people."""
    if actor.type is not ActorType.SYSTEM and not is_oneself(actor, user):
        require_manager_of_people(actor)


def require_manager_of_people(actor: Actor) -> None:
    """Raises ``NotPermittedError`` unless ``actor`` is an active administrator of the staff."""
    require_staff(actor, MANAGE_PEOPLE)

"""Who may ask for a recovery, approve it and stop it. Which roles that are is one table: the staff's."""

from __future__ import annotations

from accounts.identity import access as people
from accounts.identity.models import User
from kellexa_portal.core.actor import Actor

VIEW = "recovery.view_recoverycase"
START = "recovery.start_recovery"
APPROVE = "recovery.approve_recovery"
STOP = "recovery.stop_recovery"


def require_starter(actor: Actor) -> None:
    """Raises ``NotPermittedError`` unless ``actor`` is staff who may ask for a recovery."""
    people.require_staff(actor, START)


def require_approver(actor: Actor) -> None:
    """Raises ``NotPermittedError`` unless ``actor`` is staff who may approve what others asked for."""
    people.require_staff(actor, APPROVE)


def require_stopper(actor: Actor) -> None:
    """Raises ``NotPermittedError`` unless ``actor`` is staff who may refuse a recovery."""
    people.require_staff(actor, STOP)


def may_view(user: User) -> bool:
    """Whether ``user`` sees the list of recoveries."""
    return user.has_perm(VIEW)


def may_start(user: User) -> bool:
    """Whether ``user`` may ask for a recovery."""
    return user.has_perm(START)


def may_approve(user: User) -> bool:
    """Whether ``user`` may approve recoveries that others asked for."""
    return user.has_perm(APPROVE)


def may_stop(user: User) -> bool:
    """Whether ``user`` may refuse a recovery."""
    return user.has_perm(STOP)


def is_still(user: User | None, permission: str) -> bool:
    """Whether ``user`` is active staff whose roles give ``permission`` now."""
    return user is not None and user.is_active and user.is_staff and user.has_perm(permission)

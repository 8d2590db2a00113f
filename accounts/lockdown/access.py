"""Who may lock an account down, and who may open it again."""

from __future__ import annotations

from accounts.identity import access as people
from accounts.identity.models import User
from kellexa_portal.core.actor import Actor

VIEW = "lockdown.view_lockdown"
BEGIN = "lockdown.begin_lockdown"
CLOSE_CASE = "lockdown.close_case"


def require_alarm(actor: Actor, user: User) -> None:
    """Raises ``NotPermittedError`` unless ``actor`` is ``user`` in person or staff who may lock down."""
    if not people.is_oneself(actor, user):
        people.require_staff(actor, BEGIN)


def require_case_worker(actor: Actor) -> None:
    """Raises ``NotPermittedError`` unless ``actor`` is staff who close cases."""
    people.require_staff(actor, CLOSE_CASE)


def may_view(user: User) -> bool:
    """Whether ``user`` sees the list of lock-downs."""
    return user.has_perm(VIEW)


def may_begin(user: User) -> bool:
    """Whether ``user`` may lock down the account of somebody else."""
    return user.has_perm(BEGIN)


def may_close_case(user: User) -> bool:
    """Whether ``user`` may close the case of a lock-down."""
    return user.has_perm(CLOSE_CASE)

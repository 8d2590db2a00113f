"""How recoveries are put on record, and how their rows are locked: the account first, then the case."""

from __future__ import annotations

from accounts.identity import limits
from accounts.identity.models import User
from accounts.recovery import queries
from accounts.recovery.actions.errors import LinkDeadError
from accounts.recovery.events import RecoveryEvent
from accounts.recovery.models import RecoveryCase
from kellexa_portal.audit import Outcome, Stream, Target, record, record_independently
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError
from kellexa_portal.ratelimit import spend

PORTAL = Actor.system("recovery")


def lock(case: RecoveryCase) -> RecoveryCase:
    """The case as it is now, locked together with its account, always in this order."""
    account = User.objects.select_for_update().get(pk=case.user_id)
    locked = RecoveryCase.objects.select_for_update().get(pk=case.pk)
    locked.user = account
    return locked


def note(
    event: RecoveryEvent,
    *,
    actor: Actor,
    case: RecoveryCase,
    reason: str = "",
    changes: dict[str, object] | None = None,
) -> None:
    """Puts ``event`` on record inside the transaction that makes it true."""
    record(
        event,
        actor=actor,
        stream=Stream.user(case.user.public_id),
        target=Target("recovery", str(case.public_id)),
        reason=reason,
        changes=changes,
    )


def deny(error: DomainError, *, actor: Actor, user: User) -> DomainError:
    """The refusal to raise, after it was put on record whatever becomes of the request."""
    record_independently(
        RecoveryEvent.DENIED,
        actor=actor,
        stream=Stream.user(user.public_id),
        target=Target("user", str(user.public_id)),
        outcome=Outcome.DENIED,
        reason=error.code,
    )
    return error


def note_dead_link(*, token: str) -> None:
    """Puts on record that a link which does not work was opened, for the account it once belonged to.

    Once a period and network: links can be made up by the thousand, and must not fill the evidence.
    """
    if not spend(limits.DENIAL_ON_RECORD, f"recovery:{limits.network()}").allowed:
        return
    former = queries.case_behind(token)
    record_independently(
        RecoveryEvent.LINK_REFUSED,
        actor=Actor.anonymous(),
        stream=Stream.user(former.user.public_id) if former else Stream.system(),
        target=Target("recovery", str(former.public_id)) if former else None,
        outcome=Outcome.DENIED,
        reason=LinkDeadError.code,
    )

"""What goes on record: each success with its key, each refusal even when the request rolls back."""

from __future__ import annotations

from collections.abc import Mapping

from accounts.credentials.events import KeyEvent
from accounts.credentials.models import ApiKey
from accounts.organizations.access import Forbidden
from accounts.organizations.models import Membership
from kellexa_portal.audit import Outcome, Stream, Target, record, record_independently
from kellexa_portal.core.actor import Actor


def stream_of(key: ApiKey) -> Stream:
    return Stream.organization(key.organization.public_id)


def target_of(key: ApiKey) -> Target:
    return Target("api_key", key.key_id)


def refuse(*, actor: Actor, by: Membership, target: Target | None, attempt: str) -> Forbidden:
    """The refusal to raise, after it was put on record in a transaction that survives it."""
    record_independently(
        KeyEvent.ACCESS_DENIED,
        actor=actor,
        stream=Stream.organization(by.organization.public_id),
        target=target,
        outcome=Outcome.DENIED,
        reason="role",
        changes={"attempt": attempt, "role": by.role},
    )
    return Forbidden()


def note(
    event: KeyEvent,
    *,
    actor: Actor,
    key: ApiKey,
    reason: str = "",
    changes: Mapping[str, object] | None = None,
) -> None:
    """Puts a success on the record of the organization that owns the key."""
    record(event, actor=actor, stream=stream_of(key), target=target_of(key), reason=reason, changes=changes)

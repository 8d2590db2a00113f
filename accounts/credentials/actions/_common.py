"""What the actions share: authorisation that leaves a trace, the locked row, evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from accounts.credentials.actions.errors import KeyNotFound
from accounts.credentials.events import KeyEvent
from accounts.credentials.models import ApiKey
from accounts.identity.models import User
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


def lock(key: ApiKey) -> ApiKey:
    """The key's row as it is now, locked until the transaction ends."""
    found = (
        ApiKey.objects.select_for_update(of=("self",))
        .select_related("organization", "owner")
        .filter(pk=key.pk)
        .first()
    )
    if found is None:
        raise KeyNotFound
    return found


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


def addressees(key: ApiKey) -> list[User]:
    """Who hears of the key: its owner and contacts who are active members, each once."""
    people: Iterable[Any] = [
        row.user for row in key.contact_rows.select_related("user") if row.user.is_active
    ]
    owner = [key.owner] if key.owner.is_active else []
    members = set(
        Membership.objects.filter(organization=key.organization_id).values_list("user_id", flat=True)
    )
    unique = {person.pk: person for person in [*owner, *people] if person.pk in members}
    return list(unique.values())

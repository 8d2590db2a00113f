"""What single sign-on puts on record."""

from __future__ import annotations

from collections.abc import Mapping

from accounts.organizations.models import Organization
from accounts.sso.events import SsoEvent
from kellexa_portal.audit import Outcome, Stream, Target, record, record_independently
from kellexa_portal.core.actor import Actor


def note(
    event: SsoEvent, *, actor: Actor, organization: Organization, changes: Mapping[str, object] | None = None
) -> None:
    """Puts what was done on the organization's record."""
    record(
        event,
        actor=actor,
        stream=Stream.organization(organization.public_id),
        target=Target("organization", str(organization.public_id)),
        changes=changes,
    )


def note_refusal(
    event: SsoEvent,
    *,
    actor: Actor,
    organization: Organization,
    reason: str,
    changes: Mapping[str, object] | None = None,
) -> None:
    """Puts what was refused on the organization's record, whatever becomes of the request."""
    record_independently(
        event,
        actor=actor,
        stream=Stream.organization(organization.public_id),
        target=Target("organization", str(organization.public_id)),
        outcome=Outcome.DENIED,
        reason=reason,
        changes=changes,
    )

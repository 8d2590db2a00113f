"""Who may act, asked under the organization's lock, and what goes on record of it."""

from __future__ import annotations

from collections.abc import Mapping

from accounts.organizations.access import Forbidden, Permission, allows
from accounts.organizations.actions.errors import StaffHaveNoMembership
from accounts.organizations.events import OrganizationEvent
from accounts.organizations.models import Invitation, Membership, Organization
from kellexa_portal.audit import Outcome, Stream, Target, record, record_independently
from kellexa_portal.core.actor import Actor


def authorise(*, actor: Actor, by: Membership | None, permission: Permission) -> Membership:
    """The acting person's place, if it includes ``permission``; raises ``Forbidden`` otherwise.

    The refusal goes on the organization's record in a transaction that survives it, so that somebody who
    tries what their role forbids is seen.
    """
    if by is None:
        raise Forbidden
    if not allows(by, permission):
        raise refuse(actor=actor, by=by, attempt=str(permission))
    return by


def refuse(*, actor: Actor, by: Membership, attempt: str) -> Forbidden:
    """The refusal to raise, after it was put on record in a transaction that survives it."""
    record_independently(
        OrganizationEvent.ACCESS_DENIED,
        actor=actor,
        stream=stream_of(by.organization),
        target=target_of(by.organization),
        outcome=Outcome.DENIED,
        reason="role",
        changes={"attempt": attempt, "role": by.role},
    )
    return Forbidden()


def lock(organization_id: int) -> Organization:
    """The organization, held until the transaction ends: whoever changes its people comes one by one.

    Not against what merely points at it, such as a key that is created meanwhile.
    """
    return Organization.objects.select_for_update(no_key=True).get(pk=organization_id)


def lock_and_authorise(*, actor: Actor, by: Membership, permission: Permission) -> Membership:
    """As ``authorise``, of the place as it stands once the organization is held.

    What the request read may be gone: a person who is removed at this moment changes nothing more.
    """
    lock(by.organization_id)
    place = Membership.objects.select_related("organization", "user").filter(pk=by.pk).first()
    return authorise(actor=actor, by=place, permission=permission)


def refuse_staff(is_staff: bool) -> None:
    if is_staff:
        raise StaffHaveNoMembership


def stream_of(organization: Organization) -> Stream:
    return Stream.organization(organization.public_id)


def target_of(organization: Organization) -> Target:
    return Target("organization", str(organization.public_id))


def note_member(
    event: OrganizationEvent,
    *,
    actor: Actor,
    membership: Membership,
    reason: str = "",
    changes: Mapping[str, object] | None = None,
) -> None:
    """Puts on record what happened to one person's place."""
    record(
        event,
        actor=actor,
        stream=stream_of(membership.organization),
        target=Target("member", str(membership.user.public_id)),
        reason=reason,
        changes=changes if changes is not None else {"role": membership.role},
    )


def note_invitation(event: OrganizationEvent, *, actor: Actor, invitation: Invitation) -> None:
    """Puts on record what happened to an invitation; its address is a person's and stays out."""
    record(
        event,
        actor=actor,
        stream=stream_of(invitation.organization),
        target=Target("invitation", str(invitation.public_id)),
        changes={"role": invitation.role},
    )

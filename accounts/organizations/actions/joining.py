"""From the mailed link to a place in the organization."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.identity import limits as identity_limits
from accounts.identity import passwords
from accounts.identity.actions.invited import create_invited
from accounts.identity.models import User
from accounts.organizations import queries, rules
from accounts.organizations.actions import evidence
from accounts.organizations.actions.errors import AnotherAddress, InvitationDead
from accounts.organizations.actions.founding import give_place
from accounts.organizations.events import OrganizationEvent
from accounts.organizations.models import Invitation, Membership
from kellexa_portal.audit import Outcome, Stream, Target, record_independently
from kellexa_portal.core.actor import Actor
from kellexa_portal.ratelimit import raise_if_spent, spend


def accept(*, actor: Actor, user: User, token: str) -> Membership:
    """Gives the signed-in ``user`` the place that was offered to exactly their address.

    Raises ``InvitationDead``, ``AnotherAddress``, on record, ``AlreadyMember`` and
    ``StaffHaveNoMembership``.
    """
    with transaction.atomic():
        invitation = _take(token)
        if not rules.is_address_of(user.email, invitation.email):
            _note_denial(actor, invitation, reason=AnotherAddress.code)
            raise AnotherAddress
        return _join(actor, invitation, user)


def accept_as_newcomer(*, token: str, name: str, password: str, time_zone: str) -> Membership:
    """Makes the account of an invited person who has none, and gives it the place that was offered.

    The link proves the address, as a confirmation would, and the account founds no organization of its
    own. It opens nothing before a second factor is enrolled. Raises ``InvitationDead``,
    ``AddressTakenError`` and, for a network that asks too often, ``TooManyAttempts``.
    """
    raise_if_spent(identity_limits.SIGN_UP_BY_NETWORK, identity_limits.network())
    hashed = passwords.make(password)
    with transaction.atomic():
        invitation = _take(token)
        user = create_invited(email=invitation.email, name=name, hashed_password=hashed, time_zone=time_zone)
        return _join(Actor.of(user), invitation, user)


def _take(token: str) -> Invitation:
    """The live invitation behind ``token``, with its organization held; judged only once it is held.

    The organization first and then the row, as every change of its people does.
    """
    seen = queries.live_invitation(token)
    if seen is None:
        raise InvitationDead
    evidence.lock(seen.organization_id)
    held = queries.live_invitation(token)
    if held is None:
        raise InvitationDead
    return held


def _join(actor: Actor, invitation: Invitation, user: User) -> Membership:
    membership = give_place(
        actor=actor, organization=invitation.organization, user=user, role=invitation.role
    )
    invitation.accepted_at = timezone.now()
    invitation.accepted_by = user
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    evidence.note_invitation(OrganizationEvent.INVITE_ACCEPTED, actor=actor, invitation=invitation)
    return membership


def note_dead_invitation(*, actor: Actor, token: str) -> None:
    """Puts on record that a link which no longer works was used, on its organization's if there is one."""
    _note_denial(actor, queries.invitation_of(token), reason=InvitationDead.code)


def _note_denial(actor: Actor, invitation: Invitation | None, *, reason: str) -> None:
    """Once a period and network: links can be made up by the thousand, and must not fill the evidence."""
    if not spend(identity_limits.DENIAL_ON_RECORD, f"invitation:{identity_limits.network()}").allowed:
        return
    record_independently(
        OrganizationEvent.INVITE_DENIED,
        actor=actor,
        stream=evidence.stream_of(invitation.organization) if invitation else Stream.system(),
        target=Target("invitation", str(invitation.public_id)) if invitation else None,
        outcome=Outcome.DENIED,
        reason=reason,
    )

"""Another role, leaving, being removed, and handing over the ownership."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.identity import quarantine
from accounts.identity.models import User
from accounts.organizations import access, compliance, emails, signals
from accounts.organizations.access import Permission
from accounts.organizations.actions import evidence
from accounts.organizations.actions.errors import LastOwner, MemberNotFound, UnfitOwner, UnknownRole
from accounts.organizations.events import OrganizationEvent
from accounts.organizations.models import Invitation, Membership
from accounts.organizations.queries import mfa_policy_of
from kellexa_portal.core.actor import Actor

Role = Membership.Role


def change_role(*, actor: Actor, by: Membership, member: Membership, role: str) -> Membership:
    """Gives ``member`` another role, neither above that of ``by`` before the change nor after it."""
    with transaction.atomic():
        place = evidence.lock_and_authorise(actor=actor, by=by, permission=Permission.MEMBERS_MANAGE)
        changed = _fresh(place, member)
        if role not in Role.values:
            raise UnknownRole
        _require_say_over(actor, place, changed.role, role)
        if role == Role.OWNER:
            quarantine.require_free(place.user)
        if changed.role != role:
            _set_role(actor, changed, Role(role), by=place.user)
        return changed


def _set_role(actor: Actor, member: Membership, role: Membership.Role, *, by: User) -> None:
    before = member.role
    if before == Role.OWNER:
        _require_another_owner(member)
    member.role = role
    member.save(update_fields=["role"])
    changes = {"before": before, "after": member.role}
    evidence.note_member(
        OrganizationEvent.MEMBER_ROLE_CHANGED, actor=actor, membership=member, changes=changes
    )
    emails.role_changed(membership=member, before=before, by=by, actor=actor, at=timezone.now())
    signals.role_changed.send(sender=Membership, membership=member, before=before)


def remove_member(*, actor: Actor, by: Membership, member: Membership) -> None:
    """Ends the place of ``member`` and all that hung on it; the person's account and sessions live on.

    Each request asks for the place anew, so a session of the person loses this organization with the
    commit. What the person held in it (keys, exceptions) is ended by those who hear ``member_removed``.
    """
    with transaction.atomic():
        place = evidence.lock_and_authorise(actor=actor, by=by, permission=Permission.MEMBERS_MANAGE)
        leaver = _fresh(place, member)
        _require_say_over(actor, place, leaver.role)
        _end(actor, leaver, is_own_wish=leaver.pk == place.pk, by=place.user)


def leave(*, actor: Actor, by: Membership) -> None:
    """Ends one's own place, whatever the role; the last owner stays."""
    with transaction.atomic():
        evidence.lock(by.organization_id)
        _end(actor, _fresh(by, by), is_own_wish=True)


def _end(actor: Actor, leaver: Membership, *, is_own_wish: bool, by: User | None = None) -> None:
    if leaver.role == Role.OWNER:
        _require_another_owner(leaver)
    organization, user = leaver.organization, leaver.user
    evidence.note_member(
        OrganizationEvent.MEMBER_REMOVED,
        actor=actor,
        membership=leaver,
        reason="left" if is_own_wish else "removed",
    )
    emails.member_removed(membership=leaver, by=by, actor=actor, is_own_wish=is_own_wish, at=timezone.now())
    leaver.delete()
    for invitation in Invitation.objects.open().to_address(user.email).filter(organization=organization):
        invitation.withdrawn_at = timezone.now()
        invitation.save(update_fields=["withdrawn_at"])
        evidence.note_invitation(OrganizationEvent.INVITE_WITHDRAWN, actor=actor, invitation=invitation)
    signals.member_removed.send(sender=Membership, organization=organization, user=user)


def transfer_ownership(*, actor: Actor, by: Membership, to: Membership) -> Membership:
    """Makes ``to`` an owner and ``by`` an admin, in one step; other owners stay what they are.

    Answers the new owner's place. The one who hands over must be an owner, the one who takes over an
    active member whom neither a lock-down nor the policy keeps out. Raises ``QuarantinedError`` too.
    """
    with transaction.atomic():
        giver = evidence.lock_and_authorise(actor=actor, by=by, permission=Permission.MEMBERS_MANAGE)
        if giver.role != Role.OWNER:
            raise evidence.refuse(actor=actor, by=giver, attempt="ownership.transfer")
        quarantine.require_free(giver.user)
        taker = _fresh(giver, to)
        if taker.pk == giver.pk or taker.role == Role.OWNER or not _is_fit(taker):
            raise UnfitOwner
        former = taker.role
        Membership.objects.filter(pk=taker.pk).update(role=Role.OWNER)
        Membership.objects.filter(pk=giver.pk).update(role=Role.ADMIN)
        taker.role, giver.role = Role.OWNER, Role.ADMIN
        evidence.note_member(
            OrganizationEvent.OWNERSHIP_TRANSFERRED,
            actor=actor,
            membership=taker,
            changes={"from": str(giver.user.public_id), "role_before": former},
        )
        emails.ownership_transferred(giver=giver, taker=taker, actor=actor, at=timezone.now())
        signals.role_changed.send(sender=Membership, membership=taker, before=former)
        signals.role_changed.send(sender=Membership, membership=giver, before=str(Role.OWNER))
        return taker


def _is_fit(member: Membership) -> bool:
    if not member.user.is_active or member.user.locked_at is not None:
        return False
    if not mfa_policy_of(member.organization).asks_for_passkey:
        return True
    return member.user_id in compliance.phishing_resistant_among([member.user_id])


def _fresh(place: Membership, member: Membership) -> Membership:
    """``member`` as it stands now in the organization of ``place``; foreign and gone ones are alike."""
    found = (
        Membership.objects.select_related("organization", "user")
        .filter(pk=member.pk, organization=place.organization_id)
        .first()
    )
    if found is None:
        raise MemberNotFound
    return found


def _require_say_over(actor: Actor, place: Membership, *roles: str) -> None:
    if not all(access.may_hand_out(place, role) for role in roles):
        raise evidence.refuse(actor=actor, by=place, attempt="role." + ".".join(roles))


def _require_another_owner(member: Membership) -> None:
    """Asked under the organization's lock, so that of two owners who leave at once one stays."""
    others = Membership.objects.filter(
        organization=member.organization_id, role=Role.OWNER, user__is_active=True
    ).exclude(pk=member.pk)
    if not others.exists():
        raise LastOwner

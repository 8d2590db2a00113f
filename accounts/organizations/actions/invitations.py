"""Inviting a person, again if need be, and taking it back."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.identity import access as people
from accounts.identity import limits as identity_limits
from accounts.identity import quarantine, tokens
from accounts.identity.models import User
from accounts.organizations import access, emails, limits, rules
from accounts.organizations.access import Permission
from accounts.organizations.actions import evidence
from accounts.organizations.actions.errors import (
    AlreadyInvited,
    AlreadyMember,
    InvitationNotFound,
    UnknownRole,
)
from accounts.organizations.events import OrganizationEvent
from accounts.organizations.models import Invitation, Membership
from kellexa_portal.core.actor import Actor
from kellexa_portal.ratelimit import raise_if_spent, spend

SHORTEST = timedelta(microseconds=1)


def invite(*, actor: Actor, by: Membership, email: str, role: str) -> Invitation:
    """Mails ``email`` the offer of ``role``; the token is in that mail alone.

    Does the same whether or not the address has an account, so that inviting tells nobody which
    addresses do. An address that is mailed too often by whomever gets no further mail, and the inviter
    is not told: that others invite it is none of their business. Raises ``Forbidden`` for a role above
    one's own, ``QuarantinedError`` for an owner's, ``AlreadyMember``, ``AlreadyInvited`` and
    ``TooManyAttempts``.
    """
    with transaction.atomic():
        place = evidence.lock_and_authorise(actor=actor, by=by, permission=Permission.MEMBERS_MANAGE)
        if role not in Membership.Role.values:
            raise UnknownRole
        _require_hand_out(actor, place, role)
        if role == Membership.Role.OWNER:
            quarantine.require_free(place.user)
        _refuse_known(place, email)
        raise_if_spent(limits.INVITE_BY_ORGANIZATION, str(place.organization.public_id))
        now, token = timezone.now(), tokens.new()
        invitation = Invitation.objects.create(
            organization=place.organization,
            email=email,
            role=Membership.Role(role),
            invited_by=place.user,
            token_hash=tokens.digest(token),
            sent_at=now,
            expires_at=now + rules.INVITATION_LIFETIME,
        )
        evidence.note_invitation(OrganizationEvent.INVITE_SENT, actor=actor, invitation=invitation)
        _mail(invitation, token)
        return invitation


def _refuse_known(place: Membership, email: str) -> None:
    """Members and open invitations, which the inviter sees listed anyway; an expired one makes room."""
    known = User.objects.with_email(email)
    if Membership.objects.filter(organization=place.organization_id, user__in=known).exists():
        raise AlreadyMember
    now = timezone.now()
    standing = Invitation.objects.open().to_address(email).filter(organization=place.organization_id)
    for invitation in standing:
        if not invitation.is_expired_at(now):
            raise AlreadyInvited
        invitation.withdrawn_at = now
        invitation.save(update_fields=["withdrawn_at"])


def resend(*, actor: Actor, by: Membership, invitation: Invitation) -> Invitation:
    """Mails the offer anew with a new token and seven new days; the former link is dead.

    From now on the invitation rests on the person who sent it again.
    """
    with transaction.atomic():
        place = evidence.lock_and_authorise(actor=actor, by=by, permission=Permission.MEMBERS_MANAGE)
        renewed = _open(place, invitation)
        _require_hand_out(actor, place, renewed.role)
        if renewed.role == Membership.Role.OWNER:
            quarantine.require_free(place.user)
        raise_if_spent(limits.INVITE_BY_ORGANIZATION, str(place.organization.public_id))
        token = tokens.new()
        renewed.token_hash = tokens.digest(token)
        renewed.invited_by = place.user
        renewed.sent_at = timezone.now()
        renewed.expires_at = renewed.sent_at + rules.INVITATION_LIFETIME
        renewed.save(update_fields=["token_hash", "invited_by", "sent_at", "expires_at"])
        evidence.note_invitation(OrganizationEvent.INVITE_RESENT, actor=actor, invitation=renewed)
        _mail(renewed, token)
        return renewed


def withdraw(*, actor: Actor, by: Membership, invitation: Invitation) -> None:
    """Takes the offer back: its link is dead with the commit."""
    with transaction.atomic():
        place = evidence.lock_and_authorise(actor=actor, by=by, permission=Permission.MEMBERS_MANAGE)
        ended = _open(place, invitation)
        _require_hand_out(actor, place, ended.role)
        ended.withdrawn_at = timezone.now()
        ended.save(update_fields=["withdrawn_at"])
        evidence.note_invitation(OrganizationEvent.INVITE_WITHDRAWN, actor=actor, invitation=ended)


def stop_invitations_of(*, actor: Actor, user: User) -> int:
    """Ends the links that ``user`` sent, whose account is being locked down; answers how many.

    Somebody else may have sent them in that name. They stay in the list as expired, so that whoever manages
    the organization can send again what was meant. For the portal alone. Takes no lock on an organization:
    the account's row is held already, and an action that holds both the other way round would wait for ever.
    """
    people.require_system(actor)
    with transaction.atomic():
        now = timezone.now()
        sent = Invitation.objects.open().filter(invited_by=user, expires_at__gt=now)
        live = list(sent.select_related("organization").order_by("pk"))
        for invitation in live:
            invitation.expires_at = max(now, invitation.sent_at + SHORTEST)  # sent in this very instant
            invitation.save(update_fields=["expires_at"])
            evidence.note_invitation(OrganizationEvent.INVITE_STOPPED, actor=actor, invitation=invitation)
        return len(live)


def purge_invitations(*, now: datetime) -> int:
    """Forgets the addresses of people who never came, a month after the offer ended; answers how many.

    Nothing depends on it: expiry is checked at use (attack case 40).
    """
    border = now - rules.KEEP_ENDED_INVITATIONS_FOR
    ended = Q(withdrawn_at__lt=border) | Q(accepted_at__lt=border) | Q(expires_at__lt=border)
    with transaction.atomic():
        return Invitation.objects.filter(ended).delete()[0]


def _open(place: Membership, invitation: Invitation) -> Invitation:
    """``invitation`` as it stands now; ended and foreign ones are alike."""
    found = (
        Invitation.objects.open()
        .select_related("organization", "invited_by")
        .filter(pk=invitation.pk, organization=place.organization_id)
        .first()
    )
    if found is None:
        raise InvitationNotFound
    return found


def _require_hand_out(actor: Actor, place: Membership, role: str) -> None:
    if not access.may_hand_out(place, role):
        raise evidence.refuse(actor=actor, by=place, attempt=f"invite.{role}")


def _mail(invitation: Invitation, token: str) -> None:
    if spend(limits.INVITE_MAIL_DAILY, identity_limits.address(invitation.email)).allowed:
        emails.invitation(invitation=invitation, token=token)

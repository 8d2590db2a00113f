"""The mails about a person's place in an organization, each to the person whom it concerns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.identity import notices
from accounts.identity.access import is_oneself
from accounts.identity.models import User
from accounts.identity.rules import zone_named
from accounts.organizations.events import OrganizationEvent
from accounts.organizations.models import Invitation, Membership, MfaPolicy, MfaReminder
from kellexa_portal.core.actor import Actor, ActorType
from kellexa_portal.core.ids import uuid7
from kellexa_portal.mail import defer
from kellexa_portal.mail.facts import SHORT, Facts, moment, origin
from kellexa_portal.web.links import absolute

FOLDER = "accounts/organizations/mail"


def invitation(*, invitation: Invitation, token: str) -> None:
    """To an invited address, the same whether or not it has an account: who invites where, and the link.

    Times stand in UTC, since asking for the reader's zone would tell known addresses from unknown ones.
    """
    organization, sender = invitation.organization, invitation.invited_by
    facts = [
        (_("Organization"), organization.name),
        (_("Role"), str(invitation.get_role_display())),
        (_("Invited by"), f"{sender.name} ({sender.email})"),
        (_("Works until"), moment(invitation.expires_at, zone_named("UTC"), style=SHORT)),
    ]
    defer(
        "organizations.invitation",
        to=invitation.email,
        subject=_("You are invited to an organization in Kellexa’s security portal"),
        template=f"{FOLDER}/invitation",
        context={"facts": facts, "url": absolute("organizations:invitation", token=token)},
        dedupe_key=f"organizations.invitation:{invitation.public_id}:{invitation.sent_at.isoformat()}",
    )


def role_changed(*, membership: Membership, before: str, by: User | None, actor: Actor, at: datetime) -> None:
    """To the member, and to ``by`` who changed it: what the member may do is different now."""
    changes: Facts = [
        (_("Former role"), str(Membership.Role(before).label)),
        (_("New role"), str(membership.get_role_display())),
    ]
    name = membership.organization.name
    for reader in _readers(membership.user, by):
        is_member = reader == membership.user
        subject = _("Your role in %(name)s was changed") if is_member else _("You changed a role in %(name)s")
        _send(
            "role_changed",
            to=reader,
            subject=subject % {"name": name},
            facts=[*_facts(membership, actor, at, reader), *changes, *origin()],
            own_act=_own(OrganizationEvent.MEMBER_ROLE_CHANGED, actor, reader),
            organization=name,
            url=absolute("organizations:detail"),
            is_member=is_member,
        )


def member_removed(
    *, membership: Membership, by: User | None, actor: Actor, is_own_wish: bool, at: datetime
) -> None:
    """To the former member, and to ``by`` who removed them: what ended with the place."""
    name = membership.organization.name
    for reader in _readers(membership.user, by):
        is_member = reader == membership.user
        if is_own_wish:
            subject = _("You left %(name)s")
        elif is_member:
            subject = _("You were removed from %(name)s")
        else:
            subject = _("You removed a person from %(name)s")
        _send(
            "member_removed",
            to=reader,
            subject=subject % {"name": name},
            facts=[*_facts(membership, actor, at, reader), *origin()],
            own_act=_own(OrganizationEvent.MEMBER_REMOVED, actor, reader),
            organization=name,
            url=absolute("accounts:login") if is_member else absolute("organizations:members"),
            is_own_wish=is_own_wish,
            is_member=is_member,
        )


def ownership_transferred(*, giver: Membership, taker: Membership, actor: Actor, at: datetime) -> None:
    """To both: who owned the organization, and who owns it now."""
    name = giver.organization.name
    for reader in (giver, taker):
        facts = [
            (_("Organization"), name),
            (_("From"), f"{giver.user.name} ({giver.user.email})"),
            (_("To"), f"{taker.user.name} ({taker.user.email})"),
            (_("When"), _moment(at, reader.user)),
            *origin(),
        ]
        _send(
            "ownership_transferred",
            to=reader.user,
            subject=_("The ownership of %(name)s was handed over") % {"name": name},
            facts=facts,
            own_act=_own(OrganizationEvent.OWNERSHIP_TRANSFERRED, actor, reader.user),
            organization=name,
            url=absolute("organizations:members"),
            is_taker=reader is taker,
        )


def mfa_policy_changed(*, policy: MfaPolicy, to: Sequence[User], actor: Actor, at: datetime) -> None:
    """To the owners and whoever changed it: what the organization asks of its people's sign-in."""
    name = policy.organization.name
    grace = ngettext("%(count)d day", "%(count)d days", policy.grace_days) % {"count": policy.grace_days}
    for reader in to:
        facts = [
            (_("Organization"), name),
            (_("By"), _by(actor)),
            (_("Asked for"), str(policy.get_requirement_display())),
            *([(_("Time to comply"), grace)] if policy.asks_for_passkey else []),
            (_("When"), _moment(at, reader)),
            *origin(),
        ]
        _send(
            "mfa_policy_changed",
            to=reader,
            subject=_("The sign-in policy of %(name)s was changed") % {"name": name},
            facts=facts,
            own_act=_own(OrganizationEvent.MFA_POLICY_CHANGED, actor, reader),
            organization=name,
            url=absolute("organizations:policy"),
        )


def passkey_due(*, reminder: MfaReminder, membership: Membership) -> None:
    """To a member without a passkey: how long the organization stays open to them."""
    name, user = membership.organization.name, membership.user
    facts = [
        (_("Organization"), name),
        (_("Asked for"), _("A passkey")),
        (_("Until"), _moment(reminder.due_at, user)),
    ]
    if reminder.stage:
        sentence = ngettext(
            "Add a passkey within %(days)d day to keep your access to %(name)s",
            "Add a passkey within %(days)d days to keep your access to %(name)s",
            reminder.stage,
        )
        subject = sentence % {"days": reminder.stage, "name": name}
    else:
        subject = _("%(name)s is closed to you until you add a passkey") % {"name": name}
    defer(
        "organizations.passkey_due",
        to=user.email,
        subject=subject,
        template=f"{FOLDER}/passkey_due",
        context={
            "facts": facts,
            "organization": name,
            "is_closed": reminder.stage == 0,
            "url": absolute("mfa:overview"),
        },
        dedupe_key=f"organizations.passkey_due:{reminder.pk}",
        person=user.public_id,
    )


def _send(
    name: str, *, to: User, subject: str, facts: Facts, own_act: OrganizationEvent | None, **context: object
) -> None:
    """``own_act`` is set where the portal believes that the reader did it: they may object."""
    values: dict[str, Any] = {
        "subject": subject,
        "template": f"{FOLDER}/{name}",
        "context": {"facts": facts, **context},
        "dedupe_key": f"organizations.{name}:{uuid7()}",
    }
    kind = f"organizations.{name}"
    if own_act is not None:
        notices.send(own_act, kind=kind, user=to, **values)
    else:
        defer(kind, to=to.email, person=to.public_id, **values)


def _own(event: OrganizationEvent, actor: Actor, reader: User) -> OrganizationEvent | None:
    """``event`` where the reader is the one who acted: another's act says nothing about their account."""
    return event if is_oneself(actor, reader) else None


def _readers(member: User, by: User | None) -> list[User]:
    """The member first; who acted only where that is somebody else."""
    return [member] if by is None or by == member else [member, by]


def _facts(membership: Membership, actor: Actor, at: datetime, reader: User) -> Facts:
    """Where, who, by whom and when; whose place it is only where the reader is another."""
    member = membership.user
    return [
        (_("Organization"), membership.organization.name),
        *([(_("Person"), f"{member.name} ({member.email})")] if reader != member else []),
        (_("By"), _by(actor)),
        (_("When"), _moment(at, reader)),
    ]


def _by(actor: Actor) -> str:
    """Who acted; a part of the portal that acts by itself has no name."""
    return actor.label if actor.type is ActorType.PERSON else _("The portal")


def _moment(at: datetime, to: User) -> str:
    """An instant as the portal's pages write it, in the reader's zone."""
    return moment(at, zone_named(to.time_zone), style=SHORT)

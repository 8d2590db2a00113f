"""The mails about a person's place in an organization, each to the person whom it concerns."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.identity.models import User
from accounts.identity.rules import zone_named
from accounts.organizations.models import Invitation, Membership, MfaReminder
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


def role_changed(*, membership: Membership, before: str, actor: Actor, at: datetime) -> None:
    """To a member: what they may do in the organization is different now."""
    facts = [
        *_facts(membership, actor, at),
        (_("Former role"), str(Membership.Role(before).label)),
        (_("New role"), str(membership.get_role_display())),
        *origin(),
    ]
    _send(
        "role_changed",
        to=membership.user,
        subject=_("Your role in %(name)s was changed") % {"name": membership.organization.name},
        facts=facts,
        organization=membership.organization.name,
        url=absolute("organizations:detail"),
    )


def member_removed(*, membership: Membership, actor: Actor, is_own_wish: bool, at: datetime) -> None:
    """To a former member: they no longer belong to the organization, and what ended with that."""
    subject = _("You left %(name)s") if is_own_wish else _("You were removed from %(name)s")
    _send(
        "member_removed",
        to=membership.user,
        subject=subject % {"name": membership.organization.name},
        facts=[*_facts(membership, actor, at), *origin()],
        organization=membership.organization.name,
        url=absolute("accounts:login"),
        is_own_wish=is_own_wish,
    )


def ownership_transferred(*, giver: Membership, taker: Membership, at: datetime) -> None:
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
            organization=name,
            url=absolute("organizations:members"),
            is_taker=reader is taker,
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


def _send(name: str, *, to: User, subject: str, facts: Facts, **context: object) -> None:
    defer(
        f"organizations.{name}",
        to=to.email,
        subject=subject,
        template=f"{FOLDER}/{name}",
        context={"facts": facts, **context},
        dedupe_key=f"organizations.{name}:{uuid7()}",
        person=to.public_id,
    )


def _facts(membership: Membership, actor: Actor, at: datetime) -> Facts:
    """Where, by whom and when; a part of the portal that acts by itself has no name."""
    by = actor.label if actor.type is ActorType.PERSON else _("The portal")
    return [
        (_("Organization"), membership.organization.name),
        (_("By"), by),
        (_("When"), _moment(at, membership.user)),
    ]


def _moment(at: datetime, to: User) -> str:
    """An instant as the portal's pages write it, in the reader's zone."""
    return moment(at, zone_named(to.time_zone), style=SHORT)

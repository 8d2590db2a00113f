"""The mails about single sign-on: to the owners of the organization, and to a person who is linked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity import notices
from accounts.identity.access import is_oneself
from accounts.identity.models import User
from accounts.identity.rules import zone_named
from accounts.organizations.queries import owners_and
from accounts.sso import queries
from accounts.sso.events import SsoEvent
from accounts.sso.models import Connection, Domain
from kellexa_portal.core.actor import Actor, ActorType
from kellexa_portal.core.ids import uuid7
from kellexa_portal.mail import defer
from kellexa_portal.mail.facts import SHORT, Facts, account, moment, origin
from kellexa_portal.web.links import absolute

FOLDER = "accounts/sso/mail"


def changed(event: SsoEvent, *, connection: Connection, by: User, actor: Actor) -> None:
    """To the owners and whoever did it: what became of the organization's sign-in."""
    for reader in owners_and(connection.organization, by):
        _send(
            "changed",
            event,
            to=reader,
            subject=_("Single sign-on of %(name)s: %(event)s")
            % {"name": connection.organization.name, "event": event.sentence},
            facts=[
                (_("Organization"), connection.organization.name),
                (_("Identity provider"), connection.issuer),
                (_("By"), actor.label if actor.type is ActorType.PERSON else _("The portal")),
                (_("When"), _moment(timezone.now(), reader)),
                *origin(),
            ],
            own_act=is_oneself(actor, reader),
            sentence=event.sentence,
        )


def domain_changed(event: SsoEvent, *, domain: Domain, by: User, actor: Actor) -> None:
    """To the owners and whoever did it: what became of a domain."""
    for reader in owners_and(domain.organization, by):
        _send(
            "changed",
            event,
            to=reader,
            subject=_("%(domain)s: %(event)s") % {"domain": domain.name, "event": event.sentence},
            facts=[*_domain_facts(domain, reader), *origin()],
            own_act=is_oneself(actor, reader),
            sentence=event.sentence,
        )


def domain_missing(*, domain: Domain, until: datetime) -> None:
    """To the owners: the record of a domain is gone, and when that will have consequences."""
    for reader in queries.owners_of(domain.organization):
        _send(
            "domain_missing",
            SsoEvent.DOMAIN_LAPSED,
            to=reader,
            subject=_("The DNS record of %(domain)s is gone") % {"domain": domain.name},
            facts=[*_domain_facts(domain, reader), (_("Put it back by"), _moment(until, reader))],
            own_act=False,
            record_name=domain.record_name,
            record_value=domain.record_value,
        )


def domain_lapsed(*, domain: Domain) -> None:
    """To the owners: a domain is no longer verified, and nobody of it signs in through the provider."""
    for reader in queries.owners_of(domain.organization):
        _send(
            "changed",
            SsoEvent.DOMAIN_LAPSED,
            to=reader,
            subject=_("%(domain)s is no longer verified") % {"domain": domain.name},
            facts=_domain_facts(domain, reader),
            own_act=False,
            sentence=SsoEvent.DOMAIN_LAPSED.sentence,
        )


def emergency_used(*, connection: Connection, user: User) -> None:
    """To every owner: one of them signed in past the provider."""
    for reader in owners_and(connection.organization, user):
        _send(
            "emergency_used",
            SsoEvent.BREAK_GLASS_USED,
            to=reader,
            subject=_("An owner of %(name)s signed in past single sign-on")
            % {"name": connection.organization.name},
            facts=[
                (_("Organization"), connection.organization.name),
                (_("Who"), f"{user.name} ({user.email})"),
                (_("When"), _moment(timezone.now(), reader)),
                *origin(),
            ],
            own_act=reader == user,
        )


def linked(*, connection: Connection, user: User) -> None:
    """To a person: from now on their organization's provider stands for their password."""
    notices.send(
        SsoEvent.LINKED,
        kind="sso.linked",
        user=user,
        subject=_("Your account is linked to the sign-in of %(name)s")
        % {"name": connection.organization.name},
        template=f"{FOLDER}/linked",
        context={
            "facts": [
                *account(user.email, zone_named(user.time_zone)),
                (_("Organization"), connection.organization.name),
                (_("Identity provider"), connection.issuer),
                *origin(),
            ],
        },
        dedupe_key=f"sso.linked:{connection.public_id}:{user.public_id}:{uuid7()}",
    )


def _send(
    name: str, event: SsoEvent, *, to: User, subject: str, facts: Facts, own_act: bool, **context: Any
) -> None:
    values: dict[str, Any] = {
        "subject": subject,
        "template": f"{FOLDER}/{name}",
        "context": {"facts": facts, "url": absolute("sso:settings"), **context},
        "dedupe_key": f"sso.{name}:{uuid7()}",
    }
    if own_act:
        notices.send(event, kind=f"sso.{name}", user=to, **values)
    else:
        defer(f"sso.{name}", to=to.email, person=to.public_id, **values)


def _domain_facts(domain: Domain, reader: User) -> Facts:
    return [
        (_("Organization"), domain.organization.name),
        (_("Domain"), domain.name),
        (_("When"), _moment(timezone.now(), reader)),
    ]


def _moment(at: datetime, to: User) -> str:
    return moment(at, zone_named(to.time_zone), style=SHORT)

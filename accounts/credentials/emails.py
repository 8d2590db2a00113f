"""The mails about a key's life. None holds a token: only what recognises the key."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from accounts.credentials import scopes
from accounts.credentials.events import KeyEvent
from accounts.credentials.models import ApiKey
from accounts.identity import notices
from accounts.identity.access import is_oneself
from accounts.identity.models import User
from accounts.identity.rules import zone_named
from kellexa_portal.core.actor import Actor
from kellexa_portal.mail import defer
from kellexa_portal.mail.facts import SHORT, Facts, moment, origin
from kellexa_portal.web.links import absolute

FOLDER = "accounts/credentials/mail"


def key_created(*, key: ApiKey, to: User, at: datetime, actor: Actor) -> None:
    """A key exists that did not exist before."""
    meanings = ", ".join(str(scope.meaning) for scope in scopes.meanings(key.scopes))
    facts = [
        *_facts(key, to, at),
        (_("May"), meanings),
        (_("Expires"), _moment(key.expires_at, to)),
    ]
    _send(
        "key_created",
        key=key,
        to=to,
        subject=_("API key created: %(name)s") % {"name": key.name},
        facts=facts,
        own_act=_own(KeyEvent.CREATED, actor, to),
    )


def key_rotated(*, old: ApiKey, successor: ApiKey, to: User, at: datetime, actor: Actor) -> None:
    """A key has a successor; the mail says until when the old one works."""
    facts = [
        *_facts(successor, to, at),
        (_("Old key"), old.masked),
        (_("Old key works until"), _moment(old.expires_at, to)),
        (_("Expires"), _moment(successor.expires_at, to)),
    ]
    _send(
        "key_rotated",
        key=successor,
        to=to,
        subject=_("API key rotated: %(name)s") % {"name": successor.name},
        facts=facts,
        own_act=_own(KeyEvent.ROTATED, actor, to),
        extra={"has_ended": old.expires_at <= at},
    )


def key_revoked(*, key: ApiKey, to: User, at: datetime, actor: Actor) -> None:
    """A key has stopped working for good."""
    facts = [*_facts(key, to, at), (_("Reason"), str(key.get_revoke_reason_display()))]
    _send(
        "key_revoked",
        key=key,
        to=to,
        subject=_("API key revoked: %(name)s") % {"name": key.name},
        facts=facts,
        own_act=_own(KeyEvent.REVOKED, actor, to),
    )


def key_suspended(*, key: ApiKey, to: User, at: datetime) -> None:
    """To the contacts of a service key: it is stopped for the time being, with its owner's account."""
    _send(
        "key_suspended",
        key=key,
        to=to,
        subject=_("API key suspended: %(name)s") % {"name": key.name},
        facts=[*_facts(key, to, at), (_("Reason"), str(key.get_suspend_cause_display()))],
        occasion=at.isoformat(),
    )


def key_resumed(*, key: ApiKey, to: User, at: datetime) -> None:
    """To the contacts of a service key: it works again."""
    _send(
        "key_resumed",
        key=key,
        to=to,
        subject=_("API key works again: %(name)s") % {"name": key.name},
        facts=[*_facts(key, to, at), (_("Expires"), _moment(key.expires_at, to))],
        occasion=at.isoformat(),
    )


def contact_added(*, key: ApiKey, to: User, at: datetime) -> None:
    """The reader has become a contact of a service key: they may rotate it, and will hear of it."""
    _send(
        "contact_added",
        key=key,
        to=to,
        subject=_("You are now a contact for the API key %(name)s") % {"name": key.name},
        facts=[*_facts(key, to, at), (_("Expires"), _moment(key.expires_at, to))],
        occasion=at.isoformat(),
    )


def _send(
    name: str,
    *,
    key: ApiKey,
    to: User,
    subject: str,
    facts: Facts,
    extra: dict[str, object] | None = None,
    occasion: str = "",
    own_act: KeyEvent | None = None,
) -> None:
    """Once for each key and reader; ``occasion`` tells apart what may happen to them more than once.

    ``own_act`` is set where the portal believes that the reader did it: they may say that it wasn't them.
    """
    kind, template = f"credentials.{name}", f"{FOLDER}/{name}"
    dedupe_key = ":".join(filter(None, [kind, key.key_id, str(to.public_id), occasion]))
    context = {
        "name": key.name,
        "facts": facts,
        "url": absolute("credentials:detail", key_id=key.key_id),
        **(extra or {}),
    }
    if own_act is not None:
        notices.send(
            own_act,
            kind=kind,
            user=to,
            subject=subject,
            template=template,
            context=context,
            dedupe_key=dedupe_key,
        )
        return
    defer(
        kind,
        to=to.email,
        subject=subject,
        template=template,
        context=context,
        dedupe_key=dedupe_key,
        person=to.public_id,
    )


def _own(event: KeyEvent, actor: Actor, to: User) -> KeyEvent | None:
    """``event`` where the reader is the one who acted: another's act says nothing about their account."""
    return event if is_oneself(actor, to) else None


def _facts(key: ApiKey, to: User, at: datetime) -> Facts:
    """Which key, whose, when and from where; the address only where a request is the cause."""
    return [
        (_("Key"), f"{key.name} ({key.masked})"),
        (_("Organization"), key.organization.name),
        (_("Environment"), str(key.get_environment_display())),
        (_("Owner"), key.owner_label or key.owner.name),
        (_("When"), _moment(at, to)),
        *origin(),
    ]


def _moment(at: datetime, to: User) -> str:
    """An instant as the pages of keys write it, in the reader's zone."""
    return moment(at, zone_named(to.time_zone), style=SHORT)

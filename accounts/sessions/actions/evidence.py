"""What sessions put on record, and how a session proved itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.identity import access, quarantine
from accounts.identity.models import User
from accounts.sessions.events import SessionEvent
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream, Target, record
from kellexa_portal.core import context
from kellexa_portal.core.actor import Actor


def note_export(*, actor: Actor, user: User, filters: Mapping[str, Any]) -> None:
    """Puts on record that the person took their security log away.

    Raises ``NotPermittedError`` for others.
    """
    access.require_oneself(actor, user)
    quarantine.require_free(user)
    with transaction.atomic():
        record(
            SessionEvent.ACTIVITY_EXPORTED,
            actor=actor,
            stream=Stream.user(user.public_id),
            target=Target("user", str(user.public_id)),
            changes={name: str(value) for name, value in filters.items()},
        )


def authentication_of(session: AccountSession) -> context.Authentication:
    """How the session proved itself, for evidence."""
    return context.Authentication(session.level, tuple(session.methods), session.started_at)


def target_of(session: AccountSession) -> Target:
    return Target("session", str(session.public_id))


def note(event: SessionEvent, *, actor: Actor, session: AccountSession, reason: str = "") -> None:
    stream = Stream.user(session.user.public_id)
    record(event, actor=actor, stream=stream, target=target_of(session), reason=str(reason))

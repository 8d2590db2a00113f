"""News from below: a new password ends what the old one opened, and the hourly purge reaches sessions."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from accounts.identity.models import User
from accounts.sessions import actions, handover
from accounts.sessions.models import AccountSession
from kellexa_portal.core.actor import Actor


def end_after_password(*, user: User, request_session_key: str = "", **kwargs: Any) -> None:
    """Runs inside the transaction that changes the password (attack case 28)."""
    _end_others(user, request_session_key, AccountSession.EndReason.PASSWORD)


def end_after_email(*, user: User, request_session_key: str = "", **kwargs: Any) -> None:
    """Runs inside the transaction that changes the address."""
    _end_others(user, request_session_key, AccountSession.EndReason.EMAIL)


def _end_others(user: User, session_key: str, reason: AccountSession.EndReason) -> None:
    """The portal ends them, not who made the change: whoever follows a mailed link is nobody yet."""
    actor = Actor.system("sessions")
    actions.end_sessions(user=user, actor=actor, except_key=session_key or None, reason=reason)


def forget_after_policy(*, users: Collection[User], **kwargs: Any) -> None:
    """Runs inside the transaction by which an organization asks its people for passkeys."""
    actions.forget_browsers_of_members(actor=Actor.system("sessions"), users=users)


def sweep(*, actor: Actor, now: datetime, **kwargs: Any) -> None:
    """Ends what the clock has ended and forgets what ended long ago, whether or not its person comes back."""
    actions.end_expired(actor=actor, now=now)
    actions.forget_old(actor=actor, now=now)
    actions.forget_void(actor=actor, now=now)
    handover.forget_expired(actor=actor, now=now)

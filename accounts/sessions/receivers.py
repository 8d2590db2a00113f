"""News from below: a new password ends what the old one opened, and the hourly purge reaches sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.identity.models import User
from accounts.sessions import actions
from accounts.sessions.models import AccountSession
from kellexa_portal.core.actor import Actor


def end_other_sessions(*, user: User, request_session_key: str = "", **kwargs: Any) -> None:
    """Runs inside the transaction that changes the password (attack case 28).

    The portal ends them, not who changed the password: whoever follows a mailed link is nobody yet.
    """
    actions.end_sessions(
        user=user,
        actor=Actor.system("sessions"),
        except_key=request_session_key or None,
        reason=AccountSession.EndReason.PASSWORD,
    )


def sweep(*, actor: Actor, now: datetime, **kwargs: Any) -> None:
    """Ends what the clock has ended and forgets what ended long ago, whether or not its person comes back."""
    actions.end_expired(actor=actor, now=now)
    actions.forget_old(actor=actor, now=now)

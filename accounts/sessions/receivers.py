"""News from below: a new password ends what the old one opened."""

from __future__ import annotations

from typing import Any

from accounts.identity.models import User
from accounts.sessions import actions
from accounts.sessions.models import AccountSession
from kellexa_portal.core.actor import Actor


def end_other_sessions(*, user: User, actor: Actor, request_session_key: str = "", **kwargs: Any) -> None:
    """Runs inside the transaction that changes the password (attack case 28)."""
    actions.end_sessions(
        user=user,
        actor=actor,
        except_key=request_session_key or None,
        reason=AccountSession.EndReason.PASSWORD,
    )

"""What every change of a factor has in common: nothing that the old one opened lives on."""

from __future__ import annotations

from django.http import HttpRequest

from accounts.identity.models import User
from accounts.sessions.actions import end_sessions, raise_epoch
from accounts.sessions.models import AccountSession
from kellexa_portal.core.actor import Actor


def end_others_after_change(request: HttpRequest, *, actor: Actor, user: User) -> None:
    """Ends every other session and half sign-in of ``user`` (attack cases 28, 34). Inside a transaction."""
    raise_epoch(user=user)
    end_sessions(
        user=user,
        actor=actor,
        except_key=request.session.session_key,
        reason=AccountSession.EndReason.FACTOR,
    )

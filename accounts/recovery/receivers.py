"""News from below: what stops a recovery, the person's return, and the hourly purge."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.identity.models import User
from accounts.recovery.actions import keeping, stopping
from accounts.recovery.models import RecoveryCase
from accounts.sessions.models import AccountSession
from kellexa_portal.core.actor import Actor

Cause = RecoveryCase.Cause


def stop_at_alarm(*, user: User, **kwargs: Any) -> None:
    """Runs inside the transaction of the lock-down: whoever raised it may have meant the recovery."""
    stopping.stop_for(user=user, cause=Cause.ALARM)


def stop_at_new_address(*, user: User, **kwargs: Any) -> None:
    """Runs inside the transaction of the change: nobody who approved it approved this address."""
    stopping.stop_for(user=user, cause=Cause.ADDRESS)


def note_return(*, session: AccountSession, **kwargs: Any) -> None:
    """Runs inside the transaction of the sign-in."""
    keeping.note_return(user=session.user)


def forget(*, actor: Actor, now: datetime, **kwargs: Any) -> None:
    """Forgets links that lead nowhere and cases that are old."""
    keeping.forget_old(actor=actor, now=now)

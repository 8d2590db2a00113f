"""News from below: a sign-in, a session that moves, and the hourly purge."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.anomalies import actions
from accounts.sessions.models import AccountSession
from kellexa_portal.core.actor import Actor


def judge_sign_in(*, session: AccountSession, is_new_device: bool, **kwargs: Any) -> None:
    """Runs inside the transaction of the sign-in."""
    actions.judge_sign_in(session=session, is_new_device=is_new_device)


def judge_move(*, session: AccountSession, device: str, ip_prefix: str, **kwargs: Any) -> None:
    """Runs before the request that moved is admitted."""
    actions.judge_move(session=session, device=device, ip_prefix=ip_prefix)


def forget(*, actor: Actor, now: datetime, **kwargs: Any) -> None:
    """Forgets findings that are old."""
    actions.forget_old(actor=actor, now=now)

"""News from below: the hourly purge reaches what second factors leave behind."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.mfa.actions import challenges
from kellexa_portal.core.actor import Actor


def sweep(*, actor: Actor, now: datetime, **kwargs: Any) -> None:
    """Forgets questions to authenticators that were never answered."""
    challenges.forget_unanswered(actor=actor, now=now)

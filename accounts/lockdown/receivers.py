"""News from below: the hourly purge reaches the links of old notices."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.lockdown import actions
from kellexa_portal.core.actor import Actor


def sweep(*, actor: Actor, now: datetime, **kwargs: Any) -> None:
    """Forgets links that nobody can use any more."""
    actions.forget_old_links(actor=actor, now=now)

"""News from below: the hourly purge reaches trips that nobody came back from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.sso.actions import trips
from kellexa_portal.core.actor import Actor


def sweep(*, actor: Actor, now: datetime, **kwargs: Any) -> None:
    """Forgets them."""
    trips.forget_old(actor=actor, now=now)

"""News from below: a sign-up founds an organization; a lock-down and the purge reach invitations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.identity.models import User
from accounts.organizations import actions
from kellexa_portal.core.actor import Actor


def found_organization(*, user: User, organization_name: str, **kwargs: Any) -> None:
    """Runs inside the transaction that confirms the sign-up: both are stored, or neither."""
    actions.create_organization(actor=Actor.of(user), owner=user, name=organization_name)


def stop_invitations(*, user: User, **kwargs: Any) -> None:
    """Runs inside the transaction that locks the account down: a thief may have invited themselves."""
    actions.stop_invitations_of(actor=Actor.system("organizations"), user=user)


def purge(*, now: datetime, **kwargs: Any) -> None:
    """Forgets invitations that ended long ago."""
    actions.purge_invitations(now=now)

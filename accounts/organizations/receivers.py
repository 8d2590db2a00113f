"""News from below: a confirmed sign-up founds an organization."""

from __future__ import annotations

from typing import Any

from accounts.identity.models import User
from accounts.organizations import actions
from kellexa_portal.core.actor import Actor


def found_organization(*, user: User, organization_name: str, **kwargs: Any) -> None:
    """Runs inside the transaction that confirms the sign-up: both are stored, or neither."""
    actions.create_organization(actor=Actor.of(user), owner=user, name=organization_name)

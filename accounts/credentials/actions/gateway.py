"""The key with which Kellexa's own gateway checks the keys of customers."""

from __future__ import annotations

from django.db import transaction

from accounts.credentials import scopes
from accounts.credentials.actions.issuing import IssuedKey, create_key
from accounts.credentials.models import ApiKey
from accounts.identity.models import User
from accounts.organizations.actions import join_platform
from kellexa_portal.core.actor import Actor

NAME = "Gateway"


def create_gateway_key(*, actor: Actor, owner: User, environment: str = ApiKey.Environment.LIVE) -> IssuedKey:
    """A service key that may verify, in the platform's organization, which ``owner`` joins if need be.

    Called from the machine itself, never from a page: no customer's role leads here.
    """
    with transaction.atomic():
        membership = join_platform(actor=actor, user=owner)
        return create_key(
            actor=actor,
            by=membership,
            name=NAME,
            kind=ApiKey.Kind.SERVICE,
            environment=environment,
            scope_names=[scopes.KEYS_VERIFY],
        )

"""API keys, ready made, with their tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.credentials import actions, seals
from accounts.credentials.actions import IssuedKey
from accounts.credentials.models import ApiKey
from accounts.organizations.models import Membership, Organization
from kellexa_portal.core.actor import Actor
from tests.factories.organizations import founder

RUN = "workflows:run"


def issued(by: Membership | None = None, **fields: Any) -> IssuedKey:
    """A live service key with its token; in a new organization unless ``by`` is given."""
    place = by or founder()
    defaults: dict[str, Any] = {
        "name": "Deploy bot",
        "kind": ApiKey.Kind.SERVICE,
        "environment": ApiKey.Environment.LIVE,
        "scope_names": [RUN],
    }
    return actions.create_key(actor=Actor.of(place.user), by=place, **(defaults | fields))


def personal(by: Membership, **fields: Any) -> IssuedKey:
    """A live personal key of ``by``."""
    return issued(by, **({"kind": ApiKey.Kind.PERSONAL} | fields))


def api_key(by: Membership | None = None, **fields: Any) -> ApiKey:
    """As ``issued``, without the token."""
    return issued(by, **fields).key


def gateway() -> IssuedKey:
    """The platform's key that may verify."""
    return issued(founder(kind=Organization.Kind.PLATFORM), name="Gateway", scope_names=["keys:verify"])


def aged(key: ApiKey, *, created_ago: timedelta, lifetime: timedelta) -> ApiKey:
    """The key, made ``created_ago`` and ending ``lifetime`` after that, with a right seal."""
    key.created_at = timezone.now() - created_ago
    key.expires_at = key.created_at + lifetime
    return resealed(key)


def expired(key: ApiKey) -> ApiKey:
    """The key, a day after its end."""
    return aged(key, created_ago=timedelta(days=91), lifetime=timedelta(days=90))


def resealed(key: ApiKey) -> ApiKey:
    """Stores the key as it stands, with the seal that belongs to it."""
    key.seal = seals.seal_of(key)
    key.save()
    return key

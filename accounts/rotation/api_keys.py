"""API keys as a kind of secret to rotate."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.credentials.models import ApiKey, ApiKeyContact
from accounts.rotation.kinds import Credential, SecretKind
from kellexa_portal.web.links import absolute

NAME = "api_key"
TELL_OF_THE_END_FOR = timedelta(days=7)


def _to_rotate(now: datetime) -> QuerySet[ApiKey]:
    """Keys without a successor that are alive, or died of age so lately that their owner is still told.

    A suspended key can't be rotated, so nobody is reminded to.
    """
    return ApiKey.objects.filter(
        revoked_at__isnull=True,
        suspended_at__isnull=True,
        replaced_by__isnull=True,
        expires_at__gt=now - TELL_OF_THE_END_FOR,
    )


def subjects(now: datetime) -> QuerySet[Any, Any]:
    """The keys that somebody has to rotate, as planning reads them."""
    return _to_rotate(now).values(
        "organization_id", "owner_id", "created_at", "expires_at", subject_id=F("key_id")
    )


def contacts() -> QuerySet[Any, Any]:
    """The people beside the owner who hear of a service key."""
    return ApiKeyContact.objects.values("user_id", subject_id=F("key__key_id"))


def describe(key_ids: Iterable[str], now: datetime) -> dict[str, Credential]:
    """How a mail names each key that is still to be rotated: one revoked a moment ago is left out."""
    return {
        key.key_id: Credential(
            name=key.name,
            masked=key.masked,
            detail=key.get_environment_display(),
            url=absolute("credentials:detail", key_id=key.key_id),
            last_used_at=key.last_used_at,
        )
        for key in _to_rotate(now).filter(key_id__in=list(key_ids))
    }


API_KEYS = SecretKind(name=NAME, label=_("API key"), subjects=subjects, contacts=contacts, describe=describe)

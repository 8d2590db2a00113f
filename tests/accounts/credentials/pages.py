"""The pages of API keys as a person meets them: their addresses, what they type, the token they are shown."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.credentials import tokens
from accounts.credentials.models import ApiKey
from tests.factories.sign_in import may

LIST = "/accounts/keys/"
CREATE = "/accounts/keys/create/"
TOKEN = re.compile(tokens.PUBLISHED_REGEX)


def url_of(key: ApiKey, page: str = "") -> str:
    """The address of a key, or of one of its pages."""
    return f"{LIST}{key.key_id}/{page}"


def rotate(client: Client, key: ApiKey, form: dict[str, str]) -> HttpResponse:
    """Sends the form after a factor was shown for exactly this."""
    may(client, "key.rotate", key.key_id)
    return client.post(url_of(key, "rotate/"), form)


def typed(**fields: Any) -> dict[str, Any]:
    """A form for a new key that makes sense, but for what ``fields`` say."""
    defaults = {
        "name": "Nightly export",
        "environment": "live",
        "kind": "service",
        "scopes": ["workflows:run"],
        "expires_at": (timezone.now() + timedelta(days=30)).date().isoformat(),
        "nonce": str(uuid.uuid4()),
    }
    return defaults | fields

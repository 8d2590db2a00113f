"""Django's half of a session, in rows whose names open nothing."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from django.utils.crypto import get_random_string

KEY_LENGTH = 32
ROW_NAME_BYTES = 30  # 240 bits fill the 40 characters of Django's column
CLOSED = "Sessions are read and written synchronously."


def row_name(session_key: str | None) -> str:
    """What stands in the table for ``session_key``: a digest, so a reader of the table can't sign in."""
    digest = hashlib.sha256(b"kellexa-portal/session-row\0" + (session_key or "").encode()).digest()
    return base64.urlsafe_b64encode(digest[:ROW_NAME_BYTES]).decode()


class SessionStore(DatabaseStore):
    """Keeps sessions as Django does, but their keys stand in cookies alone.

    The portal is synchronous; the asynchronous twins are closed, for they would write keys in clear.
    """

    def _get_session_from_db(self) -> Session | None:
        row = Session.objects.filter(
            session_key=row_name(self.session_key), expire_date__gt=timezone.now()
        ).first()
        if row is None:
            self._session_key = None
        return row

    def exists(self, session_key: str) -> bool:
        return super().exists(row_name(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        row = super().create_model_instance(data)
        row.session_key = row_name(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        """One DELETE; Django's own reads the row first."""
        key = session_key or self.session_key
        if key is not None:
            Session.objects.filter(session_key=row_name(key)).delete()

    def _get_new_session_key(self) -> str:
        """165 random bits, not looked up first: a key that exists is refused by the INSERT all the same."""
        return get_random_string(KEY_LENGTH, VALID_KEY_CHARS)

    async def aload(self) -> Any:
        raise ImproperlyConfigured(CLOSED)

    async def aexists(self, session_key: str) -> bool:
        raise ImproperlyConfigured(CLOSED)

    async def asave(self, must_create: bool = False) -> None:
        raise ImproperlyConfigured(CLOSED)

    async def adelete(self, session_key: str | None = None) -> None:
        raise ImproperlyConfigured(CLOSED)

"""What the tests of sealing share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from django.test import override_settings

from kellexa_portal.crypto import Place, datakeys
from kellexa_portal.env import KeyMap


def place(**changes: Any) -> Place:
    """A place of an owner of its own, but for ``changes``."""
    facts: dict[str, Any] = {
        "scope": uuid4(),
        "purpose": "test-secret",
        "table": "credentials_apikey",
        "column": "secret",
        "row": uuid4(),
    }
    return Place(**{**facts, **changes})


def key() -> bytes:
    return os.urandom(32)


@contextmanager
def keyring(**keys: bytes) -> Iterator[None]:
    """Another keyring, the first key current, in a process that has nothing cached."""
    with override_settings(KEYRING=KeyMap(keys)):
        datakeys.forget()
        yield
    datakeys.forget()

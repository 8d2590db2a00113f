"""System checks: the keys that stored data needs are in the environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import DEFAULT_DB_ALIAS, DatabaseError

from .kms import wrapper


def unknown_key_ids() -> list[str]:
    """Key-encryption keys that data keys name and ``KEYRING`` lacks; empty before the first migration."""
    from .reencryption import key_ids_in_use

    kms = wrapper()
    try:
        return sorted(kek_id for kek_id in key_ids_in_use() if not kms.knows(kek_id))
    except DatabaseError:
        return []


def check_key_ids(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """``crypto.E001``: a key that is missing shows before the portal serves, not at the first secret."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    return [
        checks.Error(
            f"Stored data keys need the key-encryption key '{kek_id}', which KEYRING lacks.",
            hint="Put it back after the current key; `reencrypt --retire-kek` tells when it may go.",
            id="crypto.E001",
        )
        for kek_id in unknown_key_ids()
    ]

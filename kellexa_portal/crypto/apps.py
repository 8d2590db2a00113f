"""Wiring of the crypto app: its checks, and a cache that does not outlive the rows it mirrors."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CryptoConfig(AppConfig):
    name = "kellexa_portal.crypto"
    label = "crypto"
    verbose_name = _("Encryption")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from .checks import check_key_ids

        checks.register(check_key_ids, checks.Tags.database)
        post_migrate.connect(_forget_data_keys, sender=self, dispatch_uid="kellexa_portal.crypto")


def _forget_data_keys(**_arguments: Any) -> None:
    """``flush`` sends this signal too: the rows behind the cache are gone then."""
    from . import datakeys

    datakeys.forget()

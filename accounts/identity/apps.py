"""Wiring of the identity app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IdentityConfig(AppConfig):
    """Accounts: the label is ``accounts`` for good, since migrations and permissions name it."""

    name = "accounts.identity"
    label = "accounts"
    verbose_name = _("People")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.identity.events import IdentityEvent
        from kellexa_portal.audit.catalogue import register

        register(IdentityEvent)

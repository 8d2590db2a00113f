"""API keys: their format, their lives, and the question whether one is good."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CredentialsConfig(AppConfig):
    """Registers the audit events and the place in the navigation."""

    name = "accounts.credentials"
    label = "credentials"
    verbose_name = _("API keys")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.credentials.events import KeyEvent
        from kellexa_portal.audit.catalogue import register
        from kellexa_portal.ui.navigation import register_item

        register(KeyEvent)
        register_item(label=_("API keys"), url_name="credentials:list", icon="key", order=30)

"""API keys: their format, their lives, and the question whether one is good."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CredentialsConfig(AppConfig):
    """Registers the audit events, the place in the navigation, and the end that comes with leaving."""

    name = "accounts.credentials"
    label = "credentials"
    verbose_name = _("API keys")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.credentials.events import KeyEvent
        from accounts.credentials.receivers import end_what_the_person_held
        from accounts.organizations.queries import chosen_membership
        from accounts.organizations.signals import member_removed
        from kellexa_portal.audit.catalogue import register
        from kellexa_portal.ui.navigation import register_item

        register(KeyEvent)
        member_removed.connect(end_what_the_person_held, dispatch_uid="credentials.person_left")
        register_item(
            label=_("API keys"),
            url_name="credentials:list",
            icon="key",
            order=30,
            visible=lambda request: chosen_membership(request) is not None,
        )

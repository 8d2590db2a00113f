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
        from kellexa_portal.ui.navigation import register_account_link, register_sign_in

        register(IdentityEvent)
        register_sign_in(url_name="accounts:login", label=_("Sign in"))
        register_account_link(label=_("Password"), url_name="accounts:password", icon="lock", order=20)
        register_account_link(label=_("Email address"), url_name="accounts:email", icon="mail", order=25)
        register_account_link(
            label=_("Staff site"),
            url_name="admin:index",
            icon="shield",
            order=10,
            visible=lambda request: bool(getattr(request.user, "is_staff", False)),
        )

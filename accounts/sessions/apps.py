from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SessionsConfig(AppConfig):
    name = "accounts.sessions"
    label = "account_sessions"
    verbose_name = _("Sessions")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.identity.signals import email_changed, password_changed, purging
        from accounts.organizations.signals import passkey_asked
        from accounts.sessions import receivers
        from accounts.sessions.events import SessionEvent
        from accounts.sessions.keeper import SessionKeeper
        from accounts.sessions.models import HAND_OVER, SEALED_COLUMN
        from kellexa_portal.audit.catalogue import register
        from kellexa_portal.crypto import register_sealed
        from kellexa_portal.ui.navigation import register_account_link, register_item, register_sign_out
        from kellexa_portal.web.stepup import register_keeper

        register(SessionEvent)
        register_keeper(SessionKeeper())
        register_sealed(
            "account_sessions.HandOver",
            SEALED_COLUMN,
            HAND_OVER,
            scope=lambda row: row.scope,
            row=lambda row: row.public_id,
        )
        password_changed.connect(receivers.end_after_password, dispatch_uid="accounts.sessions.password")
        email_changed.connect(receivers.end_after_email, dispatch_uid="accounts.sessions.email")
        passkey_asked.connect(receivers.forget_after_policy, dispatch_uid="accounts.sessions.policy")
        purging.connect(receivers.sweep, dispatch_uid="accounts.sessions.sweep")
        register_item(label=_("Activity"), url_name="sessions:activity", icon="activity", order=100)
        register_account_link(label=_("Devices"), url_name="sessions:list", icon="laptop", order=30)
        register_sign_out(url_name="sessions:logout", label=_("Sign out"))

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecoveryConfig(AppConfig):
    name = "accounts.recovery"
    label = "recovery"
    verbose_name = _("Recoveries")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.identity.signals import email_changed, locked_down, purging
        from accounts.recovery import receivers
        from accounts.recovery.banner import banner_of
        from accounts.recovery.events import RecoveryEvent
        from accounts.sessions.signals import signed_in
        from kellexa_portal.audit.catalogue import register
        from kellexa_portal.ui.navigation import register_banner

        register(RecoveryEvent)
        register_banner("recovery", banner_of)
        locked_down.connect(receivers.stop_at_alarm, dispatch_uid="accounts.recovery.locked_down")
        email_changed.connect(receivers.stop_at_new_address, dispatch_uid="accounts.recovery.email_changed")
        signed_in.connect(receivers.note_return, dispatch_uid="accounts.recovery.signed_in")
        purging.connect(receivers.forget, dispatch_uid="accounts.recovery.purging")

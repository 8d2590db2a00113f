from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LockdownConfig(AppConfig):
    name = "accounts.lockdown"
    label = "lockdown"
    verbose_name = _("Lock-downs")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.identity.disavowal import register_maker
        from accounts.identity.signals import purging
        from accounts.lockdown import receivers
        from accounts.lockdown.actions import make_link
        from accounts.lockdown.events import LockdownEvent
        from kellexa_portal.audit.catalogue import register
        from kellexa_portal.ui.navigation import register_account_link, register_alarm

        register(LockdownEvent)
        register_maker(make_link)
        purging.connect(receivers.sweep, dispatch_uid="accounts.lockdown.sweep")
        register_alarm(url_name="lockdown:page", label=_("Lock-down"))
        register_account_link(label=_("Lock-down"), url_name="lockdown:page", icon="siren", order=40)

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SsoConfig(AppConfig):
    name = "accounts.sso"
    label = "sso"
    verbose_name = _("Single sign-on")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.identity import second_step
        from accounts.identity.signals import purging
        from accounts.sessions.doors import register_guard
        from accounts.sso import receivers
        from accounts.sso.actions.arriving import guard_door
        from accounts.sso.events import SsoEvent
        from accounts.sso.models import SECRET, SECRET_COLUMN, VERIFIER, VERIFIER_COLUMN
        from accounts.sso.views.sign_in import lead_to_provider
        from kellexa_portal.audit.catalogue import register
        from kellexa_portal.crypto import register_sealed

        register(SsoEvent)
        for label, column, purpose in (
            ("sso.Connection", SECRET_COLUMN, SECRET),
            ("sso.Attempt", VERIFIER_COLUMN, VERIFIER),
        ):
            register_sealed(
                label, column, purpose, scope=lambda row: row.scope, row=lambda row: row.public_id
            )
        register_guard("sso", guard_door)
        second_step.register("sso", lead_to_provider, order=10)
        purging.connect(receivers.sweep, dispatch_uid="accounts.sso.purging")

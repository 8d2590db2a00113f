from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MfaConfig(AppConfig):
    name = "accounts.mfa"
    label = "mfa"
    verbose_name = _("Second factors")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.identity import second_step
        from accounts.identity.signals import purging
        from accounts.mfa import receivers, ways
        from accounts.mfa.events import MfaEvent
        from accounts.mfa.models import PURPOSE, SEED_COLUMN, Passkey
        from accounts.mfa.views.trusted import pass_trusted_browser
        from accounts.organizations import compliance
        from kellexa_portal.audit.catalogue import register
        from kellexa_portal.crypto import register_sealed
        from kellexa_portal.ui.navigation import register_item

        register(MfaEvent)
        compliance.register(
            lambda user_ids: set(
                Passkey.objects.filter(user__in=user_ids, confirmed=True).values_list("user", flat=True)
            )
        )
        ways.register()
        second_step.register("trusted browser", pass_trusted_browser)
        purging.connect(receivers.sweep, dispatch_uid="accounts.mfa.sweep")
        for label in ("mfa.TotpDevice", "mfa.Enrolment"):
            register_sealed(
                label,
                SEED_COLUMN,
                PURPOSE,
                scope=lambda row: row.scope,
                row=lambda row: row.public_id,
            )
        register_item(
            label=_("Sign-in & factors"),
            url_name="mfa:overview",
            icon="fingerprint",
            order=20,
            also=(
                "mfa:replace",
                "mfa:replace_scan",
                "mfa:recovery_codes",
                "mfa:recovery_codes_new",
                "mfa:remove_app",
                "mfa:passkey_add",
                "mfa:passkey",
                "mfa:passkey_remove",
                "accounts:password",
                "sessions:list",
            ),
        )

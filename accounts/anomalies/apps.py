from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnomaliesConfig(AppConfig):
    name = "accounts.anomalies"
    label = "anomalies"
    verbose_name = _("Anomalies")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.anomalies import places, receivers
        from accounts.anomalies.events import AnomalyEvent
        from accounts.anomalies.queries import is_challenged
        from accounts.identity.challenges import register_asker
        from accounts.identity.signals import purging
        from accounts.sessions.signals import moved, signed_in
        from kellexa_portal.audit.catalogue import register

        register(AnomalyEvent)
        register_asker(is_challenged)
        signed_in.connect(receivers.judge_sign_in, dispatch_uid="accounts.anomalies.sign_in")
        moved.connect(receivers.judge_move, dispatch_uid="accounts.anomalies.move")
        purging.connect(receivers.forget, dispatch_uid="accounts.anomalies.forget")
        places.register_check()

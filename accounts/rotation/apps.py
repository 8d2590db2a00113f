from django.apps import AppConfig


class RotationConfig(AppConfig):
    name = "accounts.rotation"
    label = "rotation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.credentials import ages
        from accounts.rotation import queries
        from accounts.rotation.api_keys import API_KEYS
        from accounts.rotation.events import RotationEvent
        from accounts.rotation.kinds import register_kind
        from kellexa_portal.audit.catalogue import register

        register(RotationEvent)
        register_kind(API_KEYS)
        ages.register(queries.max_age_of)

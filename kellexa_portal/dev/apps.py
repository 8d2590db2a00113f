from django.apps import AppConfig


class DevConfig(AppConfig):
    name = "kellexa_portal.dev"
    label = "dev"
    default_auto_field = "django.db.models.BigAutoField"

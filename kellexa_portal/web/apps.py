from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "kellexa_portal.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kellexa_portal.web import checks  # noqa: F401  # importing registers the checks

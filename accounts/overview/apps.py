from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OverviewConfig(AppConfig):
    name = "accounts.overview"
    label = "overview"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kellexa_portal.redaction.logs import close_side_doors
        from kellexa_portal.ui.navigation import register_item

        close_side_doors()  # the last app of the map: every library that it needs is imported

        register_item(label=_("Checkup"), url_name="overview:checkup", icon="shield-check", order=10)

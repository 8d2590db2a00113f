from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "kellexa_portal.operations"
    label = "operations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from celery.signals import worker_init

        from kellexa_portal.operations.startup import check_database

        worker_init.connect(check_database, dispatch_uid="operations.check_database")

"""Wiring of the audit app."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "kellexa_portal.audit"
    label = "audit"
    verbose_name = _("Audit")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kellexa_portal.audit import checks, grants  # noqa: F401  # checks register themselves
        from kellexa_portal.audit.evidence import append_only

        append_only("audit_event", "audit_personal", "audit_leaf", "audit_checkpoint")
        post_migrate.connect(grants.receive_post_migrate, sender=self, dispatch_uid="audit.grants")

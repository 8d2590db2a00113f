"""Wiring of the mail app: its events, its sealed column."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailConfig(AppConfig):
    name = "kellexa_portal.mail"
    label = "mail"
    verbose_name = _("Mail")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kellexa_portal.audit.catalogue import register
        from kellexa_portal.crypto import register_sealed
        from kellexa_portal.mail import body
        from kellexa_portal.mail.events import MailEvent

        register(MailEvent)
        register_sealed("mail.OutboxMail", body.COLUMN, body.PURPOSE, scope=body.scope_of, row=body.row_of)

"""What the mail app can put on record."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kellexa_portal.audit.catalogue import AuditEvent


class MailEvent(AuditEvent):
    """Deliveries that ended badly, and what staff did about them."""

    DELIVERY_FAILED = "mail.delivery.fail", _("A mail could not be delivered.")
    DELIVERY_RETRIED = "mail.delivery.retry", _("Another try to deliver a mail was ordered.")
    RETRY_REFUSED = "mail.delivery.refuse", _("Another try to deliver a mail was refused.")

"""What rotation tells the audit log."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kellexa_portal.audit.catalogue import AuditEvent


class RotationEvent(AuditEvent):
    """Events of reminders and of the policy behind them."""

    POLICY_CHANGED = "org.policy.rotation", _("The rotation policy was changed.")
    REMINDER_SENT = "key.reminder.send", _("A reminder to rotate a credential was sent.")

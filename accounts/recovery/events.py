"""What recoveries by staff put on record; all of it in the stream of the person whose account it is."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kellexa_portal.audit.catalogue import AuditEvent


class RecoveryEvent(AuditEvent):
    """Events of the recovery of an account whose person has lost every way in."""

    STARTED = "account.recovery.start", _("Staff asked to recover the account.")
    APPROVED = "account.recovery.approve", _("A recovery of the account was approved.")
    REFUSED = "account.recovery.refuse", _("Staff refused a recovery of the account.")
    CANCELLED = "account.recovery.cancel", _("A recovery of the account was cancelled.")
    EXPIRED = "account.recovery.expire", _("A recovery of the account ran out of time.")
    READY = "account.recovery.ready", _("The wait of a recovery was over and its link was mailed.")
    COMPLETED = "account.recovery.complete", _("The account was recovered.")
    DENIED = "account.recovery.deny", _("A step of a recovery was denied to a member of the staff.")
    LINK_REFUSED = "account.recovery.link_deny", _("A link of a recovery was refused.")

"""What lock-downs put on record; all of it in the stream of the person whose account it is."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kellexa_portal.audit.catalogue import AuditEvent


class LockdownEvent(AuditEvent):
    """Events of the lock-down of an account."""

    BEGUN = "account.lockdown.begin", _("The account was locked down.")
    REPEATED = "account.lockdown.repeat", _("The account was locked down again before it was opened.")
    LIFTED = "account.lockdown.lift", _("The lock-down of the account was lifted.")
    LIFT_DENIED = "account.lockdown.lift_deny", _("Lifting a lock-down was refused.")
    LINK_REFUSED = "account.lockdown.deny", _("A link to lock the account down was refused.")
    CASE_CLOSED = "account.lockdown.close", _("Staff closed the case of a lock-down.")

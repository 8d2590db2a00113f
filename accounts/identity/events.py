"""What identity writes into the audit log."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kellexa_portal.audit.catalogue import AuditEvent


class IdentityEvent(AuditEvent):
    """Sign-up, the password step of sign-in, passwords, and the state of an account."""

    SIGN_UP_STARTED = "account.signup.start", _("Somebody asked for an account.")
    SIGN_UP_COMPLETED = "account.signup.complete", _("The address was confirmed and the account created.")
    SIGN_UP_REFUSED = "account.signup.deny", _("The confirmation of a sign-up was refused.")
    LOGIN_FAILED = "auth.login.fail", _("A sign-in failed at the password.")
    LOGIN_DENIED = "auth.login.deny", _("A sign-in was refused before the second factor.")
    PASSWORD_CHANGED = "account.password.change", _("The password was changed.")
    PASSWORD_CHANGE_FAILED = "account.password.fail", _("A change of password failed at the current one.")
    RESET_REQUESTED = "account.password.reset_request", _("Somebody asked to reset the password.")
    RESET_COMPLETED = "account.password.reset", _("The password was reset by a mailed link.")
    RESET_REFUSED = "account.password.reset_deny", _("A link to reset the password was refused.")
    EMAIL_CHANGE_REQUESTED = "account.email.request", _("Another email address was asked for.")
    EMAIL_CHANGED = "account.email.change", _("The email address was changed.")
    EMAIL_RESTORED = "account.email.restore", _("The former email address was brought back.")
    EMAIL_REFUSED = "account.email.deny", _("A link to change the email address was refused.")
    DEACTIVATED = "account.access.deactivate", _("The account was deactivated.")
    REACTIVATED = "account.access.reactivate", _("The account was reactivated.")
    QUARANTINED = "account.quarantine.begin", _("The account was put into quarantine for a while.")
    QUARANTINE_REFUSED = "account.quarantine.deny", _("Something was refused because of the quarantine.")
    STAFF_CREATED = "staff.account.create", _("A staff account was created.")
    STAFF_ROLE_GRANTED = "staff.role.grant", _("A staff role was granted.")

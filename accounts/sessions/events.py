"""What sessions put on record; all of it in the stream of the person whose session it is."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kellexa_portal.audit.catalogue import AuditEvent


class SessionEvent(AuditEvent):
    """Events of signed-in sessions."""

    LOGIN_SUCCEEDED = "auth.login.succeed", _("Signed in.")
    STEPPED_UP = "auth.stepup.succeed", _("Showed again that it is you.")
    SIGNED_OUT = "session.end", _("Signed out.")
    ACTIVITY_EXPORTED = "account.activity.export", _("The security log was exported.")
    TRUSTED = "session.trust.give", _("A browser was trusted to sign in with the password alone.")
    TRUST_WITHDRAWN = "session.trust.withdraw", _("Trust in browsers was taken back.")
    REVOKED = "session.revoke", _("A session was ended.")
    OTHERS_REVOKED = "session.revoke_others", _("Other sessions were ended.")
    EXPIRED = "session.expire", _("A session expired.")

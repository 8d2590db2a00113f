"""What second factors put on record; all of it in the stream of the person whose factor it is."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kellexa_portal.audit.catalogue import AuditEvent


class MfaEvent(AuditEvent):
    """Events of authenticator apps, passkeys and recovery codes; ``changes`` names the kind of factor."""

    ENROLLED = "auth.mfa.enrol", _("A second factor was added.")
    REPLACED = "auth.mfa.replace", _("The authenticator app was replaced.")
    RESYNCED = "auth.mfa.resync", _("The clock of the authenticator app was read anew.")
    REMOVED = "auth.mfa.remove", _("A second factor was removed.")
    CODE_REFUSED = "auth.mfa.fail", _("A wrong authentication code was typed.")
    CODE_REPLAYED = "auth.mfa.replay", _("An authentication code that was used before was refused.")
    BUDGET_SPENT = "auth.mfa.deny", _("A code was not looked at because too many wrong ones came before.")
    PASSKEY_REFUSED = "auth.passkey.fail", _("A passkey was refused.")
    PASSKEY_COUNTER = (
        "auth.passkey.counter",
        _("A passkey was refused because its counter went back: there may be a copy of it."),
    )
    PASSKEY_RENAMED = "auth.passkey.rename", _("A passkey was renamed.")
    RECOVERY_USED = "auth.recovery.use", _("A recovery code was used.")
    RECOVERY_REFUSED = "auth.recovery.fail", _("A wrong recovery code was typed.")
    RECOVERY_RENEWED = "auth.recovery.renew", _("New recovery codes were made; the old ones stopped working.")

"""What the rules put on record: in the person's own log, and in the staff's where many are concerned."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kellexa_portal.audit.catalogue import AuditEvent


class AnomalyEvent(AuditEvent):
    """One event a rule; the last part of the name is the rule's."""

    TRAVEL = "anomaly.travel", _("A sign-in came from too far away for the time since the last visit.")
    STUFFING = "anomaly.stuffing", _("Passwords were tried on many accounts.")
    AFTER_FAILURES = "anomaly.after_failures", _("A sign-in succeeded after many that failed.")
    MFA_GUESS = "anomaly.mfa_guess", _("Several wrong codes followed the right password.")
    DRIFT = "anomaly.drift", _("A session was ended because it changed its browser and its network at once.")
    DORMANT = "anomaly.dormant", _("Somebody signed in after a long time without a sign-in.")
    TAKEOVER = "anomaly.takeover", _("A new device soon changed what secures the account.")


def event_of(rule: str) -> AnomalyEvent:
    """The event of the rule with this name."""
    return AnomalyEvent[rule.upper()]

"""What organizations put on record."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kellexa_portal.audit.catalogue import AuditEvent


class OrganizationEvent(AuditEvent):
    """Events of an organization and of the people in it; all go to the organization's stream."""

    CREATED = "org.created", _("The organization was created.")
    MEMBER_ADDED = "org.member.added", _("A person joined the organization.")
    MEMBER_ROLE_CHANGED = "org.member.role.changed", _("A person’s role was changed.")
    MEMBER_REMOVED = "org.member.removed", _("A person left the organization.")
    OWNERSHIP_TRANSFERRED = "org.ownership.transferred", _("The ownership was handed over.")
    INVITE_SENT = "org.invite.sent", _("A person was invited.")
    INVITE_RESENT = "org.invite.resent", _("An invitation was sent again.")
    INVITE_WITHDRAWN = "org.invite.withdrawn", _("An invitation was withdrawn.")
    INVITE_STOPPED = (
        "org.invite.stopped",
        _("An invitation was stopped by a lock-down of its sender."),
    )
    INVITE_ACCEPTED = "org.invite.accepted", _("An invitation was accepted.")
    INVITE_DENIED = "org.invite.denied", _("The use of an invitation was refused.")
    MFA_POLICY_CHANGED = "org.policy.mfa", _("The policy for second factors was changed.")
    MFA_REMINDER_SENT = "org.policy.reminded", _("A person was reminded of the policy for second factors.")
    ACCESS_DENIED = "org.access.denied", _("Something was refused because of the person’s role.")

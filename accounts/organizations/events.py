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
    ACCESS_DENIED = "org.access.denied", _("Something was refused because of the person’s role.")

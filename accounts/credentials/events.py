"""What API keys put on record."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kellexa_portal.audit.catalogue import AuditEvent


class KeyEvent(AuditEvent):
    """Events of API keys; all go to the stream of the organization that owns the key."""

    CREATED = "key.created", _("An API key was created.")
    ROTATED = "key.rotated", _("An API key was rotated.")
    REVOKED = "key.revoked", _("An API key was revoked.")
    SUSPENDED = "key.suspended", _("An API key was suspended.")
    RESUMED = "key.resumed", _("A suspended API key was brought back.")
    EXPIRED = "key.expired", _("An API key expired.")
    CONTACTS_CHANGED = "key.contacts.changed", _("The contacts of a service key were changed.")
    VERIFY_DENIED = "key.verify.deny", _("A genuine API key was refused.")
    TAMPERED = "key.tamper.detect", _("An API key’s record was altered outside the portal and is refused.")
    ACCESS_DENIED = "key.access.denied", _("Managing an API key was refused.")

"""What single sign-on puts on record; in the organization's stream but for what concerns one person."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kellexa_portal.audit.catalogue import AuditEvent


class SsoEvent(AuditEvent):
    """Events of an organization's identity provider and domains."""

    CONNECTED = "org.sso.connect", _("An identity provider was connected.")
    TESTED = "org.sso.test", _("The identity provider was tested, and sign-in through it is open.")
    TEST_FAILED = "org.sso.test_fail", _("A test of the identity provider failed.")
    ENFORCED = "org.sso.enforce", _("Single sign-on is now required.")
    RELAXED = "org.sso.relax", _("Single sign-on is no longer required.")
    DISCONNECTED = "org.sso.disconnect", _("The identity provider was disconnected.")
    DOMAIN_ADDED = "org.domain.add", _("A domain was named.")
    DOMAIN_VERIFIED = "org.domain.verify", _("A domain was verified.")
    DOMAIN_REFUSED = "org.domain.verify_fail", _("A domain was not verified.")
    DOMAIN_LAPSED = "org.domain.lapse", _("A domain is no longer verified: its record was gone too long.")
    DOMAIN_REMOVED = "org.domain.remove", _("A domain was removed.")
    LINKED = "auth.sso.link", _("The account was linked to an identity provider.")
    REFUSED = "auth.sso.fail", _("A sign-in through the identity provider was refused.")
    BREAK_GLASS_USED = "org.sso.break_glass", _("The emergency owner signed in past single sign-on.")

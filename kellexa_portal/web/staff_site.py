"""Where Django finds the staff site."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class StaffSiteConfig(AdminConfig):
    """Django's admin with the portal's own site, named by path: the roof is loaded when it is first used."""

    default_site = "kellexa_portal.staff.PortalAdminSite"

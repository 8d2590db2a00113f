"""Customer organizations, the people in them, and what a role may do."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrganizationsConfig(AppConfig):
    """Wires the sign-up to the founding of an organization, and the purge to invitations."""

    name = "accounts.organizations"
    label = "organizations"
    verbose_name = _("Organizations")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.identity.signals import locked_down, purging, signed_up
        from accounts.organizations.events import OrganizationEvent
        from accounts.organizations.queries import chosen_membership, menu_of
        from accounts.organizations.receivers import found_organization, purge, stop_invitations
        from kellexa_portal.audit.catalogue import register
        from kellexa_portal.ui.navigation import register_item, register_organizations

        register(OrganizationEvent)
        signed_up.connect(found_organization, dispatch_uid="organizations.found")
        locked_down.connect(stop_invitations, dispatch_uid="organizations.stop_invitations")
        purging.connect(purge, dispatch_uid="organizations.purge")
        register_item(
            label=_("Organization"),
            url_name="organizations:detail",
            icon="building",
            order=110,
            visible=lambda request: chosen_membership(request) is not None,
        )
        register_organizations(menu_of)

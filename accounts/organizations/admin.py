"""Staff read organizations and memberships; changing them is the customers' own affair."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.organizations.models import Membership, Organization
from kellexa_portal.web.admin import ReadOnlyAdmin


@admin.register(Organization)
class OrganizationAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "public_id", "created_at")
    list_filter = ("kind",)
    search_fields = ("name", "public_id")


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("email", "role", "organization_name", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "organization__name")

    @admin.display(description=_("email"))
    def email(self, membership: Membership) -> str:
        return membership.user.email

    @admin.display(description=_("organization"))
    def organization_name(self, membership: Membership) -> str:
        return membership.organization.name

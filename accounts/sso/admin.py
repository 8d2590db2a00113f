"""Staff read domains and providers; the client's secret is shown to nobody."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.sso.models import Connection, Domain
from kellexa_portal.web.admin import ReadOnlyAdmin


class OfOrganizationAdmin(ReadOnlyAdmin):
    list_select_related = ("organization",)

    @admin.display(description=_("organization"))
    def organization_name(self, row: Domain | Connection) -> str:
        return row.organization.name


@admin.register(Domain)
class DomainAdmin(OfOrganizationAdmin):
    list_display = ("name", "organization_name", "verified_at", "checked_at", "missing_since")
    fields = ("public_id", *list_display, "created_at")
    readonly_fields = fields
    search_fields = ("name", "organization__name")


@admin.register(Connection)
class ConnectionAdmin(OfOrganizationAdmin):
    list_display = ("issuer", "organization_name", "tested_at", "enforced_at", "creates_members")
    fields = ("public_id", "client_id", *list_display, "created_at", "updated_at")
    readonly_fields = fields
    search_fields = ("issuer", "organization__name")

"""Staff read organizations and memberships; changing them is the customers' own affair."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.organizations.models import Membership, Organization


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic at type-check time only
    """Lists and shows; nothing that no action does."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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

    @admin.display(description="email")
    def email(self, membership: Membership) -> str:
        return membership.user.email

    @admin.display(description="organization")
    def organization_name(self, membership: Membership) -> str:
        return membership.organization.name

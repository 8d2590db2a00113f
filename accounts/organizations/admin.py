"""Staff read organizations, their people and policies; changing them is the customers' own affair."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.organizations.models import Invitation, Membership, MfaPolicy, MfaReminder, Organization
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


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = (
        "email",
        "role",
        "organization_name",
        "sent_at",
        "expires_at",
        "accepted_at",
        "withdrawn_at",
    )
    list_filter = ("role",)
    list_select_related = ("organization",)
    search_fields = ("email", "organization__name")

    @admin.display(description=_("organization"))
    def organization_name(self, invitation: Invitation) -> str:
        return invitation.organization.name


@admin.register(MfaPolicy)
class MfaPolicyAdmin(ReadOnlyAdmin):
    list_display = ("organization_name", "requirement", "grace_days", "set_at", "updated_at")
    list_filter = ("requirement",)
    list_select_related = ("organization",)

    @admin.display(description=_("organization"))
    def organization_name(self, policy: MfaPolicy) -> str:
        return policy.organization.name


@admin.register(MfaReminder)
class MfaReminderAdmin(ReadOnlyAdmin):
    """Who was told, and before which date."""

    list_display = ("email", "stage", "due_at", "created_at")
    list_filter = ("stage",)
    list_select_related = ("membership__user",)

    @admin.display(description=_("email"))
    def email(self, reminder: MfaReminder) -> str:
        return reminder.membership.user.email

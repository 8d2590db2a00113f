"""Staff see that a person has factors and since when; never a seed, a hash or a way to change one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.identity.access import may_view_people
from accounts.identity.models import User
from accounts.mfa.models import Passkey, RecoveryCode, TotpDevice
from kellexa_portal.web.admin import ReadOnlyAdmin


class FactorAdmin(ReadOnlyAdmin):
    """A list to look at. Staff never add or remove a factor (ASVS 6.4.6): recovery is the person's own."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return isinstance(request.user, User) and may_view_people(request.user)


@admin.register(Passkey)
class PasskeyAdmin(FactorAdmin):
    list_display = ("public_id", "user", "created_at", "last_used_at", "confirmed", "backup_state")
    list_select_related = ("user",)
    search_fields = ("public_id", "user__public_id", "user__email")
    ordering = ("-pk",)
    fields = (
        "public_id",
        "user",
        "created_at",
        "last_used_at",
        "confirmed",
        "backup_eligible",
        "backup_state",
        "sign_count",
        "aaguid",
    )
    readonly_fields = fields


@admin.register(TotpDevice)
class TotpDeviceAdmin(FactorAdmin):
    list_display = ("public_id", "user", "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("user__public_id", "user__email")
    ordering = ("-pk",)
    fields = ("public_id", "user", "created_at", "last_used_at", "drift")
    readonly_fields = fields


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(FactorAdmin):
    list_display = ("id", "user", "created_at", "used_at")
    list_select_related = ("user",)
    search_fields = ("user__public_id", "user__email")
    ordering = ("-pk",)
    fields = ("user", "created_at", "used_at")
    readonly_fields = fields

"""Staff see keys, never hashes, and can revoke them: the same action as a customer's."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.credentials import actions
from accounts.credentials.actions.errors import AlreadyRevoked
from accounts.credentials.forms import RevokeKeyForm
from accounts.credentials.models import ApiKey
from accounts.sessions.queries import person_of
from kellexa_portal.core.actor import Actor
from kellexa_portal.web.admin import ReadOnlyAdmin

SHOWN = (
    "key_id",
    "name",
    "kind",
    "environment",
    "organization",
    "owner",
    "owner_label",
    "scopes",
    "allowed_networks",
    "created_at",
    "expires_at",
    "last_used_at",
    "last_used_ip_prefix",
    "revoked_at",
    "revoked_by",
    "revoke_reason",
    "suspended_at",
    "suspend_cause",
    "generation",
    "replaced_by",
)


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """A list, a page of facts, and one button."""

    list_display = ("key_id", "name", "organization_name", "kind", "environment", "state", "last_used_at")
    list_filter = ("kind", "environment")
    list_select_related = ("organization",)
    search_fields = ("key_id", "name", "organization__name")
    fields = SHOWN
    readonly_fields = SHOWN
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Who may press the button; the action asks for a reason and records who it was."""
        return bool(request.user.has_perm("credentials.revoke_apikey"))

    @admin.display(description=gettext_lazy("organization"))
    def organization_name(self, key: ApiKey) -> str:
        return key.organization.name

    @admin.action(description=gettext_lazy("Revoke"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Asks for a reason, then revokes each chosen key with the staff person as actor."""
        form = RevokeKeyForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            context = {
                **self.admin_site.each_context(request),
                "title": _("Revoke key"),
                "form": form,
                "keys": queryset.select_related("organization"),
                "opts": self.opts,
            }
            return TemplateResponse(request, "accounts/credentials/admin_revoke.html", context)
        count = 0
        for key in queryset.select_related("organization", "owner"):
            try:
                actions.revoke_key(
                    actor=Actor.of(person_of(request)),
                    key=key,
                    reason=form.cleaned_data["reason"],
                )
            except AlreadyRevoked:
                continue
            count += 1
        message = ngettext("%(count)d key revoked.", "%(count)d keys revoked.", count) % {"count": count}
        self.message_user(request, message, messages.SUCCESS)
        return None

"""Staff see people and shut an account; they never see a hash, choose a password or edit a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.identity import access
from accounts.identity.actions import people
from accounts.identity.models import User
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError
from kellexa_portal.web.admin import ReadOnlyAdmin

# Roles are code and StaffAssignment; a group would be a second, unaudited way to a permission.
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """Read-only; the two things that can be done are actions, audited like any other."""

    list_display = ("email", "name", "is_staff", "is_active", "created_at", "last_login")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "name", "public_id")
    ordering = ("-pk",)
    fields = (
        "public_id",
        "email",
        "name",
        "time_zone",
        "is_staff",
        "is_active",
        "locked_at",
        "email_confirmed_at",
        "password_changed_at",
        "created_at",
        "last_login",
    )
    readonly_fields = fields
    actions: tuple[str, ...] = ("deactivate_selected", "reactivate_selected")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return isinstance(request.user, User) and access.may_view_people(request.user)

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """Who may deactivate and reactivate."""
        return isinstance(request.user, User) and access.may_manage_people(request.user)

    @admin.action(description=_("Deactivate the selected people"), permissions=["manage"])
    def deactivate_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """Asks once more, then ends their sessions at once; keys are another list."""
        if "confirmed" not in request.POST:
            context = {
                **self.admin_site.each_context(request),
                "title": _("Deactivate people"),
                "people": queryset.order_by("email"),
                "opts": self.opts,
            }
            return TemplateResponse(request, "accounts/identity/admin_deactivate.html", context)
        done = self._each(request, queryset, people.deactivate)
        sentence = ngettext("%(count)d person was deactivated.", "%(count)d people were deactivated.", done)
        self.message_user(request, sentence % {"count": done}, messages.SUCCESS)
        return None

    @admin.action(description=_("Reactivate the selected people"), permissions=["manage"])
    def reactivate_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """They sign in anew, with the password and the factors they had."""
        done = self._each(request, queryset, people.reactivate)
        sentence = ngettext("%(count)d person was reactivated.", "%(count)d people were reactivated.", done)
        self.message_user(request, sentence % {"count": done}, messages.SUCCESS)

    def _each(self, request: HttpRequest, chosen: QuerySet[User], act: Callable[..., User]) -> int:
        """Does ``act`` to each of ``chosen``, says what was refused, and counts the rest."""
        done = 0
        if not isinstance(request.user, User):
            return done
        for user in chosen.order_by("pk"):
            try:
                act(actor=Actor.of(request.user), user=user)
            except DomainError as error:
                self.message_user(request, error.sentence(), messages.ERROR)
            else:
                done += 1
        return done

"""Staff see who is signed in where, and can end a session; nothing else."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.identity.access import may_manage_people, may_view_people
from accounts.identity.models import User
from accounts.sessions.actions import end_session, forget_browser
from accounts.sessions.models import AccountSession, TrustedBrowser
from kellexa_portal.core.actor import Actor
from kellexa_portal.web.admin import ReadOnlyAdmin


class OfPeopleAdmin(ReadOnlyAdmin):
    """Who may see people sees where they are signed in; who may shut an account may end that."""

    list_select_related = ("user",)
    search_fields = ("public_id", "user__public_id", "user__email")
    ordering = ("-pk",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return isinstance(request.user, User) and may_view_people(request.user)

    def has_end_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and may_manage_people(request.user)


@admin.register(AccountSession)
class AccountSessionAdmin(OfPeopleAdmin):
    """Read-only but for ending; the key's digest is never shown."""

    list_display = (
        "public_id",
        "user",
        "device",
        "ip_prefix",
        "method",
        "started_at",
        "last_seen_at",
        "end_reason",
    )
    list_filter = ("method", "end_reason")
    fields = (
        "public_id",
        "user",
        "device",
        "ip_prefix",
        "method",
        "level",
        "started_at",
        "last_seen_at",
        "ended_at",
        "end_reason",
    )
    readonly_fields = fields
    actions = ("end_selected",)

    @admin.action(description=_("End the selected sessions"), permissions=["end"])
    def end_selected(self, request: HttpRequest, queryset: QuerySet[AccountSession]) -> None:
        staff = request.user
        assert isinstance(staff, User)
        ended = sum(
            end_session(session=session, actor=Actor.of(staff), reason=AccountSession.EndReason.STAFF)
            for session in queryset.select_related("user")
        )
        self.message_user(
            request,
            ngettext("%(count)d session was ended.", "%(count)d sessions were ended.", ended)
            % {"count": ended},
            messages.SUCCESS,
        )


@admin.register(TrustedBrowser)
class TrustedBrowserAdmin(OfPeopleAdmin):
    """Read-only but for taking trust back; the token's digest is never shown."""

    list_display = ("public_id", "user", "device", "ip_prefix", "created_at", "last_used_at", "expires_at")
    fields = list_display
    readonly_fields = fields
    actions = ("forget_selected",)

    @admin.action(description=_("Take trust back from the selected browsers"), permissions=["end"])
    def forget_selected(self, request: HttpRequest, queryset: QuerySet[TrustedBrowser]) -> None:
        staff = request.user
        assert isinstance(staff, User)
        gone = sum(
            forget_browser(actor=Actor.of(staff), user=browser.user, public_id=browser.public_id)
            for browser in queryset.select_related("user")
        )
        self.message_user(
            request,
            ngettext(
                "%(count)d browser is no longer trusted.", "%(count)d browsers are no longer trusted.", gone
            )
            % {"count": gone},
            messages.SUCCESS,
        )

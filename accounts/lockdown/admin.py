"""Staff see which accounts were locked down and close the cases; they open no account again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.identity.admin import UserAdmin
from accounts.identity.models import User
from accounts.lockdown import access, actions
from accounts.lockdown.models import Lockdown
from accounts.sessions.queries import person_of
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError
from kellexa_portal.web.admin import ReadOnlyAdmin


class CaseStateFilter(admin.SimpleListFilter):
    """Whether staff are done with the lock-down."""

    title = _("case")
    parameter_name = "case"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("Open")), ("closed", _("Closed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        if self.value() not in {"open", "closed"}:
            return queryset
        return queryset.filter(case_closed_at__isnull=self.value() == "open")


@admin.register(Lockdown)
class LockdownAdmin(ReadOnlyAdmin):
    """A list, a page of facts, and one button."""

    list_display = ("public_id", "user_email", "cause", "started_at", "is_lifted", "is_case_open")
    list_filter = (CaseStateFilter, "cause")
    list_select_related = ("user",)
    search_fields = ("public_id", "user__public_id", "user__email")
    ordering = ("-pk",)
    fields = (
        "public_id",
        "user",
        "user_email",
        "cause",
        "disowned",
        "started_at",
        "repeated_at",
        "sessions_ended",
        "keys_suspended",
        "lifted_at",
        "lifted_by",
        "case_closed_at",
        "case_closed_by",
    )
    readonly_fields = fields
    actions = ("close_selected",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return isinstance(request.user, User) and access.may_view(request.user)

    def has_close_permission(self, request: HttpRequest) -> bool:
        """Who may press the button; the action asks again."""
        return isinstance(request.user, User) and access.may_close_case(request.user)

    @admin.display(description=_("account"))
    def user_email(self, lockdown: Lockdown) -> str:
        return lockdown.user.email

    @admin.display(description=_("disowned"))
    def disowned(self, lockdown: Lockdown) -> str:
        return str(lockdown.sentence)

    @admin.display(description=_("lifted"), boolean=True)
    def is_lifted(self, lockdown: Lockdown) -> bool:
        return lockdown.lifted_at is not None

    @admin.display(description=_("case"))
    def is_case_open(self, lockdown: Lockdown) -> str:
        return str(_("Open") if lockdown.case_closed_at is None else _("Closed"))

    @admin.action(description=_("Close the selected cases"), permissions=["close"])
    def close_selected(self, request: HttpRequest, queryset: QuerySet[Lockdown]) -> None:
        """Notes that staff are done; whether the account is open again is its person's affair."""
        actor = Actor.of(person_of(request))
        closed = sum(actions.close_case(actor=actor, lockdown=case) for case in queryset.order_by("pk"))
        sentence = ngettext("%(count)d case was closed.", "%(count)d cases were closed.", closed)
        self.message_user(request, sentence % {"count": closed}, messages.SUCCESS)


admin.site.unregister(User)


@admin.register(User)
class LockableUserAdmin(UserAdmin):
    """The list of people, with the alarm beside what identity itself can do."""

    actions = (*UserAdmin.actions, "lock_down_selected")

    def has_alarm_permission(self, request: HttpRequest) -> bool:
        """Who may lock down somebody else's account."""
        return isinstance(request.user, User) and access.may_begin(request.user)

    @admin.action(description=_("Lock the selected accounts down"), permissions=["alarm"])
    def lock_down_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Signs them out everywhere and suspends their keys; only they themselves can lift it."""
        actor, locked = Actor.of(person_of(request)), 0
        for user in queryset.order_by("pk"):
            try:
                actions.raise_alarm(actor=actor, user=user)
            except DomainError as error:
                self.message_user(request, error.sentence(), messages.ERROR)
            else:
                locked += 1
        sentence = ngettext(
            "%(count)d account was locked down.", "%(count)d accounts were locked down.", locked
        )
        self.message_user(request, sentence % {"count": locked}, messages.SUCCESS)

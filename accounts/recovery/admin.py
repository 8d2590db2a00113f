"""Staff ask for a recovery, approve what others asked for, refuse it; they see no link and no password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_page
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identity.models import User
from accounts.recovery import access, queries
from accounts.recovery.actions import asking, stopping
from accounts.recovery.forms import StartForm
from accounts.recovery.models import RecoveryCase
from accounts.sessions.queries import person_of
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError
from kellexa_portal.web import stepup
from kellexa_portal.web.admin import ReadOnlyAdmin
from kellexa_portal.web.forms import render
from kellexa_portal.web.methods import require_http_methods

FOLDER = "accounts/recovery"
APPROVE_PURPOSE = _("Approve the recovery of %(email)s.")


@admin.register(RecoveryCase)
class RecoveryCaseAdmin(ReadOnlyAdmin):
    """A list, a page of facts, and three pages with one button each."""

    change_list_template = "accounts/recovery/admin_list.html"
    change_form_template = "accounts/recovery/admin_case.html"
    list_display = ("public_id", "user_email", "state", "approvals", "started_at", "waits_until", "ended_at")
    list_filter = ("state",)
    list_select_related = ("user",)
    search_fields = ("public_id", "user__public_id", "user__email")
    ordering = ("-pk",)
    fields = (
        "public_id",
        "user",
        "user_email",
        "state",
        "evidence",
        "started_by_name",
        "started_at",
        "first_approver_name",
        "first_approved_at",
        "second_approver_name",
        "second_approved_at",
        "waits_until",
        "ready_at",
        "ended_at",
        "ended_by_name",
        "cause",
        "returned_at",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[RecoveryCase]:
        cases: QuerySet[RecoveryCase] = super().get_queryset(request).defer("link_hash")
        return cases.select_related(*queries.PEOPLE)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return isinstance(request.user, User) and access.may_view(request.user)

    @admin.display(description=_("account"))
    def user_email(self, case: RecoveryCase) -> str:
        return case.user.email

    @admin.display(description=_("asked for by"))
    def started_by_name(self, case: RecoveryCase) -> str:
        return case.started_by.name

    @admin.display(description=_("first approver"))
    def first_approver_name(self, case: RecoveryCase) -> str:
        return case.first_approver.name if case.first_approver else "-"

    @admin.display(description=_("second approver"))
    def second_approver_name(self, case: RecoveryCase) -> str:
        return case.second_approver.name if case.second_approver else "-"

    @admin.display(description=_("ended by"))
    def ended_by_name(self, case: RecoveryCase) -> str:
        return case.ended_by.name if case.ended_by else "-"

    def get_urls(self) -> list[URLPattern]:
        return [
            self._page("start/", self.start_view, "start"),
            self._page("<uuid:public_id>/approve/", self.approve_view, "approve"),
            self._page("<uuid:public_id>/refuse/", self.refuse_view, "refuse"),
            *super().get_urls(),
        ]

    def _page(self, route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
        """A page of this list behind the staff site's own gate."""
        guarded = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(view))
        guarded.model_admin = self  # type: ignore[attr-defined]  # the mark of a view of the staff site
        return path(route, guarded, name=f"recovery_recoverycase_{name}")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        extra = {"may_start": access.may_start(person_of(request))}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        person, case = person_of(request), kwargs.get("obj")
        if isinstance(case, RecoveryCase) and case.is_unfinished:
            context["may_refuse"] = access.may_stop(person)
            context["may_approve"] = _may_approve_now(person, case)
        return super().render_change_form(request, context, *args, **kwargs)

    def start_view(self, request: HttpRequest) -> HttpResponse:
        """Whose account, and how they were recognised; asks for a factor of the staff member first."""
        person = person_of(request)
        if not access.may_start(person):
            raise PermissionDenied
        if not stepup.is_met(request, stepup.Level.FACTOR):
            return stepup.ask(request, stepup.Demand(stepup.Level.FACTOR))
        form = StartForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                case = asking.start(
                    actor=Actor.of(person), user=form.user, evidence=form.cleaned_data["evidence"]
                )
            except DomainError as error:
                form.add_error(None, error.sentence())
            else:
                messages.success(request, _("Every address of the account was told. Two others approve now."))
                return self._to(case)
        return render(
            request, f"{FOLDER}/admin_start.html", self._context(request, _("Ask for a recovery")), form=form
        )

    def approve_view(self, request: HttpRequest, public_id: UUID) -> HttpResponse:
        """What was seen of the person, and one button that takes a factor shown for exactly this."""
        person, case = person_of(request), queries.case_named(public_id)
        if not access.may_approve(person):
            raise PermissionDenied
        if case is None:
            raise Http404
        if request.method == "POST":
            purpose = APPROVE_PURPOSE % {"email": case.user.email}
            try:
                with transaction.atomic():
                    obj = str(case.public_id)
                    stepup.spend(request, action="recovery.approve", obj=obj, purpose=purpose)
                    asking.approve(actor=Actor.of(person), case=case)
            except stepup.StepUpRequired:
                raise
            except DomainError as error:
                stopping.stop_unless_upheld(case=case)
                messages.error(request, error.sentence())
            else:
                messages.success(
                    request, _("You approved the recovery. Every address of the account was told.")
                )
            return self._to(case)
        context = self._context(request, _("Approve the recovery"))
        may_approve = _may_approve_now(person, case)
        page = {**context, "case": case, "may_approve": may_approve}
        return render_page(request, f"{FOLDER}/admin_approve.html", page)

    def refuse_view(self, request: HttpRequest, public_id: UUID) -> HttpResponse:
        """Ends a recovery at once; stopping asks for nothing."""
        person, case = person_of(request), queries.case_named(public_id)
        if not access.may_stop(person):
            raise PermissionDenied
        if case is None:
            raise Http404
        if request.method == "POST":
            try:
                stopping.refuse(actor=Actor.of(person), case=case)
            except DomainError as error:
                messages.error(request, error.sentence())
            else:
                messages.success(
                    request, _("The recovery is refused. Every address of the account was told.")
                )
            return self._to(case)
        context = self._context(request, _("Refuse the recovery"))
        return render_page(request, f"{FOLDER}/admin_refuse.html", {**context, "case": case})

    def _context(self, request: HttpRequest, title: object) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "title": title, "opts": self.opts}

    def _to(self, case: RecoveryCase) -> HttpResponse:
        address = reverse("admin:recovery_recoverycase_change", args=[quote(case.pk)])
        return HttpResponseRedirect(address, status=303)


def _may_approve_now(person: User, case: RecoveryCase) -> bool:
    """Whether there is a button to show; the action asks again."""
    involved = {case.user_id, case.started_by_id, case.first_approver_id}
    is_open = case.state == RecoveryCase.State.OPEN and not case.is_expired(timezone.now())
    return access.may_approve(person) and is_open and person.pk not in involved

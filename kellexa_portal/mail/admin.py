"""The outbox for staff: what went, what waits, what failed and why; never what it said."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError
from kellexa_portal.mail.actions.upkeep import retry_mail
from kellexa_portal.mail.models import OutboxMail
from kellexa_portal.web.admin import ReadOnlyAdmin


@admin.register(OutboxMail)
class OutboxMailAdmin(ReadOnlyAdmin):
    """Read-only but for one button. The body and its links stay sealed: staff don't act for customers."""

    list_display = ("public_id", "recipient", "kind", "state", "attempts", "due_at", "sent_at")
    list_filter = ("state", "kind")
    search_fields = ("recipient", "message_id")
    ordering = ("-pk",)
    actions = ("try_again",)
    fields: ClassVar[tuple[str, ...]] = (
        "public_id",
        "kind",
        "recipient",
        "subject",
        "message_id",
        "state",
        "attempts",
        "created_at",
        "due_at",
        "leased_until",
        "sent_at",
        "last_error",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboxMail]:
        mails: QuerySet[OutboxMail] = super().get_queryset(request).defer("body", "headers")
        return mails

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Who may press the button; named by the action below."""
        return bool(request.user.has_perm("mail.retry_outboxmail"))

    @admin.action(description=_("Try again now"), permissions=["retry"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[OutboxMail]) -> None:
        """Orders one more try of each chosen mail that allows it, and counts both kinds."""
        ordered, refused = 0, 0
        for mail_id in queryset.values_list("pk", flat=True):
            try:
                retry_mail(actor=_actor_of(request), mail_id=mail_id)
            except DomainError:
                refused += 1
            else:
                ordered += 1
        if ordered:
            text = ngettext("%d mail will be tried again now.", "%d mails will be tried again now.", ordered)
            messages.success(request, text % ordered)
        if refused:
            text = ngettext(
                "%d mail can't be tried again: it hasn't failed, or its content is gone.",
                "%d mails can't be tried again: they haven't failed, or their content is gone.",
                refused,
            )
            messages.warning(request, text % refused)


def _actor_of(request: HttpRequest) -> Actor:
    user: Any = request.user
    return Actor.of(user)

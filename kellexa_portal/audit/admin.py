"""The log for staff: a list and a page of facts; nothing here can add, change or delete."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from kellexa_portal.audit import catalogue
from kellexa_portal.audit.models import Event
from kellexa_portal.audit.queries import all_events
from kellexa_portal.web.admin import ReadOnlyAdmin, UncountedList


class NameFilter(admin.SimpleListFilter):
    """The catalogue's names: asking the table for its distinct names would read all of it."""

    title = _("event")
    parameter_name = "name"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Event]) -> list[tuple[str, str]]:
        return [(event.value, event.value) for event in catalogue.registered()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        name = self.value()
        return queryset.filter(name=name) if name else queryset


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Newest first by primary key; no page counts or reads the whole log, as facets would, too."""

    show_facets = admin.ShowFacets.NEVER
    list_display = ("at", "name", "told", "actor", "target", "outcome", "log", "place")
    list_display_links = ("at",)
    list_filter = (NameFilter, "outcome")
    ordering = ("-id",)
    sortable_by = ()
    actions = None
    fields = (
        "public_id",
        "at",
        "name",
        "told",
        "outcome",
        "reason",
        "actor",
        "on_behalf_of",
        "session_id",
        "auth_level",
        "auth_methods",
        "auth_at",
        "ip",
        "user_agent",
        "target",
        "changed",
        "request_id",
        "log",
        "place",
        "leaf_hash",
        "sealed_at",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return all_events()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[UncountedList]:
        return UncountedList

    @admin.display(description=_("what happened"))
    def told(self, event: Event) -> str:
        return str(event.sentence)

    @admin.display(description=_("actor"))
    def actor(self, event: Event) -> str:
        return _pair(event.actor_type, event.actor_label)

    @admin.display(description=_("target"))
    def target(self, event: Event) -> str:
        return _pair(event.target_type, event.target_id)

    @admin.display(description=_("log"))
    def log(self, event: Event) -> str:
        return str(event.stream)

    @admin.display(description=_("place"))
    def place(self, event: Event) -> int | None:
        return event.leaf.index if event.leaf else None

    @admin.display(description=_("address"))
    def ip(self, event: Event) -> str:
        return event.ip

    @admin.display(description=_("user agent"))
    def user_agent(self, event: Event) -> str:
        return event.user_agent

    @admin.display(description=_("changes"))
    def changed(self, event: Event) -> SafeString:
        return format_html(
            '<pre tabindex="0">{}</pre>', json.dumps(event.changes, ensure_ascii=False, indent=2)
        )

    @admin.display(description=_("hash of the leaf"))
    def leaf_hash(self, event: Event) -> str:
        return bytes(event.leaf.leaf_hash).hex() if event.leaf else ""

    @admin.display(description=_("sealed"))
    def sealed_at(self, event: Event) -> Any:
        return event.leaf.sealed_at if event.leaf else None


def _pair(*parts: str) -> str:
    return " ".join(part for part in parts if part)

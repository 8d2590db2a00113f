"""Staff see what the rules found and what was done; nothing here can be changed."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from accounts.anomalies.models import Anomaly
from kellexa_portal.web.admin import ReadOnlyAdmin, UncountedList


@admin.register(Anomaly)
class AnomalyAdmin(ReadOnlyAdmin):
    """Newest first; the list of alerts."""

    show_facets = admin.ShowFacets.NEVER
    list_display = ("at", "rule", "user", "subject", "action", "found_at")
    list_display_links = ("at",)
    list_filter: ClassVar = ["rule", "action"]
    list_select_related = ("user",)
    search_fields = ("public_id", "subject", "user__public_id", "user__email")
    ordering = ("-pk",)
    sortable_by = ()
    fields = (
        "public_id",
        "rule",
        "user",
        "session_id_shown",
        "subject",
        "window",
        "at",
        "found_at",
        "facts",
        "action",
    )
    readonly_fields = fields

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[UncountedList]:
        return UncountedList

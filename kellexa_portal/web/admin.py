"""The base of every list in the staff site: it shows, and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from kellexa_portal.core.pagination import page

MAX_ID_DIGITS = 18

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class UncountedList(ChangeList):
    """A list by falling primary key in pages that link to the next one, however many rows there are.

    Django's own counts the rows for each page and reads all that it skips. Here ``p`` in the address is a
    cursor of ``core.pagination``; a page number of Django's leads to the first page.
    """

    def get_results(self, request: HttpRequest) -> None:
        cursor = request.GET.get(PAGE_VAR, "")
        found = page(self.queryset, cursor=cursor, limit=self.list_per_page)
        self.result_list = found.items
        self.result_count = len(found.items)
        self.newest_url = self.get_query_string() if cursor else ""
        self.older_url = self.get_query_string({PAGE_VAR: found.next_cursor}) if found.next_cursor else ""
        self.full_result_count = None
        self.show_full_result_count = self.show_admin_actions = False
        self.can_show_all = self.multi_page = False


class ReadOnlyAdmin(ModelAdmin):
    """A list and a page of facts. Changes are buttons that call actions, never ``save_model``.

    Not even a superuser adds, edits or deletes here: the admin can do nothing that an action would not.
    """

    show_full_result_count = False
    list_per_page = 50

    def response_action(  # type: ignore[override]  # the stub is of a later Django
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponseBase | None:
        """As Django's, but ids that are none are as unknown as any other and never an error of ours."""
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if all(text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS for text in chosen):
            return super().response_action(request, queryset)
        raise Http404

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

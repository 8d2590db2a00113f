"""One way to answer with a page that carries a form."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render as render_page
from django.utils.datastructures import MultiValueDict

from kellexa_portal.web import stepup


def render(
    request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, *, form: BaseForm
) -> HttpResponse:
    """The page with ``form``: 422 when it was filled in and refused (RFC 9110, 15.5.21), else 200.

    After a step-up a fresh form comes back with what had been typed into it.
    """
    if not form.is_bound:
        _refill(form, stepup.held_form(request))
    refused = form.is_bound and bool(form.errors)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK
    return render_page(request, template, {**(context or {}), "form": form}, status=status)


def _refill(form: BaseForm, typed: QueryDict | None) -> None:
    if typed is None:
        return
    for name, field in form.fields.items():
        value = field.widget.value_from_datadict(typed, MultiValueDict(), form.add_prefix(name))
        if value is not None:
            form.initial[name] = value

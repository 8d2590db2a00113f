"""One way to answer with a page that carries a form."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render as render_page


def render(
    request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, *, form: BaseForm
) -> HttpResponse:
    """The page with ``form``: 422 when it was filled in and refused (RFC 9110, 15.5.21), else 200."""
    refused = form.is_bound and bool(form.errors)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK
    return render_page(request, template, {**(context or {}), "form": form}, status=status)

"""Where the second half of a sign-in ends: inside, back at its beginning, or at a budget that is spent."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_page

from accounts.identity import pending as half_sign_ins
from accounts.mfa.views.stages import begin_again
from accounts.sessions.landing import landing_of
from accounts.sessions.models import AccountSession
from kellexa_portal.core.errors import DomainError
from kellexa_portal.ratelimit import TooManyAttempts


def arrive(session: AccountSession, next_url: str) -> HttpResponse:
    return HttpResponseRedirect(landing_of(session.user, next_url), status=303)


def give_up(request: HttpRequest, error: DomainError) -> HttpResponse:
    half_sign_ins.clear(request)
    return begin_again(request, error.sentence())


def too_many(
    request: HttpRequest,
    template: str,
    form: Form,
    error: TooManyAttempts,
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """The same page with 429: what was typed stays unread, and the page says when to come back."""
    form.add_error(None, error.sentence())
    page = {**(context or {}), "form": form}
    response = render_page(request, template, page, status=HTTPStatus.TOO_MANY_REQUESTS)
    retry_after = error.params.get("retry_after")
    if retry_after is not None:
        response["Retry-After"] = str(max(1, int(retry_after)))
    return response

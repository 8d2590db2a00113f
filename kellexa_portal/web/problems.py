"""Refusals as HTTP, in one place: a page for people, RFC 9457 problem details under ``/api/``."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from kellexa_portal.core import context
from kellexa_portal.core.errors import DomainError, Fault

API_PREFIX = "/api/"

STATUS = {
    Fault.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Fault.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Fault.CONFLICT: HTTPStatus.CONFLICT,
    Fault.INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
    Fault.LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    Fault.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}


def wants_problem(request: HttpRequest) -> bool:
    """Whether the caller is a program that is answered with ``application/problem+json``."""
    return request.path_info.startswith(API_PREFIX)


def problem(*, status: int, code: str, detail: str = "", **members: Any) -> HttpResponse:
    """A problem details object; ``code`` is stable, ``detail`` tells the program's author what to change.

    The title is the status in HTTP's own words, as ``about:blank`` asks for (RFC 9457, 4.2.1).
    """
    title = HTTPStatus(status).phrase
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": int(status), "code": code}
    if detail:
        body["detail"] = detail
    request_id = context.current().request_id
    if request_id:
        body["request_id"] = request_id
    response = JsonResponse({**body, **members}, status=status, content_type="application/problem+json")
    response["Cache-Control"] = "no-store"
    return response


def error_page(request: HttpRequest, *, status: int, code: str, detail: str) -> HttpResponse:
    """The error page: what happened, why, what to do next; it asks nothing of the database."""
    request_id = context.current().request_id
    page = {"title": title_of(status), "detail": detail, "code": code, "request_id": request_id}
    response = render(request, "web/error.html", page, status=status)
    response["Cache-Control"] = "no-store"
    return response


def refusal(
    request: HttpRequest, *, status: int, code: str, for_people: str, for_programs: str
) -> HttpResponse:
    """A refusal in the form and in the words that the caller can use."""
    if wants_problem(request):
        return problem(status=status, code=code, detail=for_programs)
    return error_page(request, status=status, code=code, detail=for_people)


def not_found(request: HttpRequest) -> HttpResponse:
    """404: the same for what does not exist and for what the caller may not see."""
    return refusal(
        request,
        status=HTTPStatus.NOT_FOUND,
        code="not_found",
        for_people=_("There is nothing at this address, or you may not see it."),
        for_programs=_("The API has no such address, or nothing there that this key may see."),
    )


def method_not_allowed(request: HttpRequest, *, allow: str) -> HttpResponse:
    """405; ``allow`` names the methods that the address takes (RFC 9110, 15.5.6)."""
    response = refusal(
        request,
        status=HTTPStatus.METHOD_NOT_ALLOWED,
        code="method_not_allowed",
        for_people=_("Go back and use the buttons on the page."),
        for_programs=_("This address takes %(methods)s only.") % {"methods": allow},
    )
    response["Allow"] = allow
    return response


def title_of(status: int) -> str:
    """A calm heading of the error page for each status that the portal answers with."""
    titles = {
        HTTPStatus.BAD_REQUEST: _("This request could not be read"),
        HTTPStatus.FORBIDDEN: _("You can’t do this"),
        HTTPStatus.NOT_FOUND: _("Nothing here"),
        HTTPStatus.METHOD_NOT_ALLOWED: _("This address doesn’t take that kind of request"),
        HTTPStatus.CONFLICT: _("This has changed meanwhile"),
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _("This is too much at once"),
        HTTPStatus.UNPROCESSABLE_ENTITY: _("Some of this can’t be accepted"),
        HTTPStatus.TOO_MANY_REQUESTS: _("Too many attempts"),
        HTTPStatus.SERVICE_UNAVAILABLE: _("Not available right now"),
    }
    return titles.get(HTTPStatus(status), _("Something went wrong on our side"))


def answer(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The HTTP answer to a foreseen refusal; one that is limited says when to come back (RFC 6585)."""
    status = STATUS[error.fault]
    sentence = error.sentence()
    response = refusal(request, status=status, code=error.code, for_people=sentence, for_programs=sentence)
    retry_after = error.params.get("retry_after")
    if retry_after is not None:
        response["Retry-After"] = str(max(1, math.ceil(float(retry_after))))
    return response

"""The pages of last resort. They ask nothing of the database, which may be what failed."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kellexa_portal.web import gates, problems


@gates.public
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The start: until the trust center stands here, the sign-in page, which sends the signed-in on."""
    return redirect(gates.LOGIN_URL_NAME)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the request itself was malformed."""
    return _refuse(request, HTTPStatus.BAD_REQUEST, "bad_request", _("Go back and try once more."))


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: known, and not allowed."""
    detail = _("Your role doesn’t include this. An owner of your organization can change roles.")
    return _refuse(request, HTTPStatus.FORBIDDEN, "forbidden", detail)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form was not sent from a page of ours, or its page is too old (CWE-352)."""
    detail = _("The page that you sent was too old or came from elsewhere. Reload it and send it again.")
    return _refuse(request, HTTPStatus.FORBIDDEN, "csrf", detail)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: the same for what does not exist and for what belongs to somebody else."""
    detail = _("There is nothing at this address, or you may not see it.")
    return _refuse(request, HTTPStatus.NOT_FOUND, "not_found", detail)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault; the page gives the request's id to quote and nothing else."""
    detail = _("The error has been recorded. Try again in a moment.")
    return _refuse(request, HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", detail)


def _refuse(request: HttpRequest, status: HTTPStatus, code: str, detail: str) -> HttpResponse:
    title = problems.title_of(status)
    return problems.refusal(request, status=status, code=code, title=title, detail=detail)

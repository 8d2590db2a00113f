"""The pages of last resort. They ask nothing of the database, which may be what failed."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from kellexa_portal.web import gates, problems
from kellexa_portal.web.methods import require_safe


@gates.public
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The start: until the trust center stands here, the sign-in page, which sends the signed-in on."""
    return redirect(gates.LOGIN_URL_NAME)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the request itself was malformed."""
    return problems.refusal(
        request,
        status=HTTPStatus.BAD_REQUEST,
        code="bad_request",
        for_people=_("Go back and try once more."),
        for_programs=_("Check the Host header and the form, which may have %(fields)d fields and no file.")
        % {"fields": settings.DATA_UPLOAD_MAX_NUMBER_FIELDS},
    )


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: known, and not allowed."""
    return problems.refusal(
        request,
        status=HTTPStatus.FORBIDDEN,
        code="forbidden",
        for_people=_("Your role doesn’t include this. An owner of your organization can change roles."),
        for_programs=_("The key’s owner may not do this. Call with a key of somebody who may."),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form was not sent from a page of ours, or its page is too old (CWE-352)."""
    return problems.refusal(
        request,
        status=HTTPStatus.FORBIDDEN,
        code="csrf",
        for_people=_(
            "The page that you sent was too old or came from elsewhere. Reload it and send it again."
        ),
        for_programs=_("This address takes the portal’s own forms only. Call the API with a key instead."),
    )


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: the same for what does not exist and for what belongs to somebody else."""
    return problems.not_found(request)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault; the page gives the request's id to quote and nothing else."""
    return problems.refusal(
        request,
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        code="internal_error",
        for_people=_("The error has been recorded. Try again in a moment."),
        for_programs=_("The error has been recorded. Retry later; if it stays, quote the request’s ID."),
    )

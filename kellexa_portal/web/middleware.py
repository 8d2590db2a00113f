"""The outer skin: request context, readable input, declared gates, and one place for refusals."""

from __future__ import annotations

import codecs
import logging
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path
from django.utils.translation import gettext as _

from kellexa_portal.core import context
from kellexa_portal.core.errors import DomainError
from kellexa_portal.core.ids import uuid7
from kellexa_portal.web import problems, stepup
from kellexa_portal.web.client import comes_through_proxy, ip_of
from kellexa_portal.web.gates import Gate, gate_of, is_admin_view
from kellexa_portal.web.methods import PAGE, methods_of
from kellexa_portal.web.stepup import StepUpRequired
from kellexa_portal.web.uploads import announced_length, hides_its_length

logger = logging.getLogger("kellexa.requests")

GetResponse = Callable[[HttpRequest], HttpResponse]

MAX_USER_AGENT = 400
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
CONTROL = re.compile(rb"[\x00]")


class RequestContextMiddleware:
    """Gives each request an id of our own and makes its facts known to evidence and logs.

    A request id from outside is not believed: it would let a client write into the log's key.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not comes_through_proxy(request):
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)  # else anybody could claim to come by TLS
        facts = context.RequestContext(
            request_id=uuid7().hex,
            ip=ip_of(request),
            user_agent=request.META.get("HTTP_USER_AGENT", "")[:MAX_USER_AGENT].replace("\x00", ""),
        )
        began = time.perf_counter()
        with context.bound(facts):
            response = self.get_response(request)
            self._log(request, response.status_code, milliseconds=(time.perf_counter() - began) * 1000)
        response["X-Request-Id"] = facts.request_id
        return response

    @staticmethod
    def _log(request: HttpRequest, status: int, *, milliseconds: float) -> None:
        """One line a request through our own handler, so that mailed links are redacted and no byte of an
        address can begin a line of its own (CWE-117); a server's access log would do neither."""
        path = escape_uri_path(request.path)
        logger.info("%s %s %d %.0f ms", request.method, path, status, milliseconds)


def _is_readable(raw: bytes) -> bool:
    """Whether percent-decoded ``raw`` is UTF-8 without NUL, which PostgreSQL cannot store (CWE-158)."""
    decoded = unquote_to_bytes(raw.replace(b"+", b" "))
    if CONTROL.search(decoded):
        return False
    try:
        decoded.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_text(decoded: str) -> bool:
    """Whether Django met neither NUL nor, leaving its replacement, bytes that are not UTF-8."""
    return "\x00" not in decoded and "\ufffd" not in decoded


def _speaks_utf8(request: HttpRequest) -> bool:
    """Whether the charset that the request names is UTF-8, or none that Python knows and Django would use.

    Django decodes the address and the form by it, also by a codec that makes no text, such as ``zlib``.
    """
    return not request.encoding or codecs.lookup(request.encoding).name == "utf-8"


class InputGuardMiddleware:
    """Refuses bodies that are too large, unread, and addresses and forms that are not UTF-8 or hold NUL.

    Django would replace such bytes silently, so that a person's password or name would be stored as
    something that they did not type. A cookie with NUL is refused too: it can be a session's name, which
    PostgreSQL is asked for. Other bytes in cookies may come from a neighbour on the same host.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if announced_length(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return self._too_large(request)
        if hides_its_length(request):
            return self._no_length(request)
        query = request.META.get("QUERY_STRING", "").encode("latin-1", "replace")
        path = request.path_info
        if (
            not _is_text(path)
            or not _speaks_utf8(request)
            or any("\x00" in value for value in request.COOKIES.values())
            or not _is_readable(query)
            or not self._has_readable_form(request)
        ):
            return problems.refusal(
                request,
                status=HTTPStatus.BAD_REQUEST,
                code="unreadable_input",
                for_people=_("It holds characters that are not valid UTF-8 text. Type them again and retry."),
                for_programs=_("Encode address and form as UTF-8, leave out NUL, name no other charset."),
            )
        return self.get_response(request)

    @staticmethod
    def _no_length(request: HttpRequest) -> HttpResponse:
        return problems.refusal(
            request,
            status=HTTPStatus.LENGTH_REQUIRED,
            code="length_required",
            for_people=_("Go back and send the form again with another browser."),
            for_programs=_("Send the body with Content-Length, not in chunks."),
        )

    @staticmethod
    def _too_large(request: HttpRequest) -> HttpResponse:
        return problems.refusal(
            request,
            status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            code="too_large",
            for_people=_("No form here takes so much text. Go back, shorten it and send it again."),
            for_programs=_("No address here reads a body of more than %(size)d bytes.")
            % {"size": settings.DATA_UPLOAD_MAX_MEMORY_SIZE},
        )

    def _has_readable_form(self, request: HttpRequest) -> bool:
        if request.method in {"GET", "HEAD"}:
            return True
        if request.content_type == MULTIPART:
            return all(_is_text(part) for name, values in request.POST.lists() for part in (name, *values))
        return request.content_type != FORM or _is_readable(request.body)


class MethodMiddleware:
    """Answers a method that a view does not take before the CSRF check would answer 403 in its place.

    A view without declared methods is refused anything but what a page takes; only programs' views, which
    no browser's cookie opens, answer for themselves.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if gate_of(view) is Gate.MACHINE:
            return None
        methods = methods_of(view) or PAGE
        if request.method in methods:
            return None
        return problems.method_not_allowed(request, allow=", ".join(methods))


class GateMiddleware:
    """Serves no view that has not declared its gate: closed by default even where the check was not run."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if gate_of(view) is not None or is_admin_view(view):
            return None
        return problems.not_found(request)


class DomainErrorMiddleware:
    """Turns a foreseen refusal that no view answered into its one HTTP form."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not response.content:
            return problems.method_not_allowed(request, allow=response.get("Allow", ""))
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, StepUpRequired) and not problems.wants_problem(request):
            return stepup.ask(request, exception.demand)
        return problems.answer(request, exception) if isinstance(exception, DomainError) else None

"""The API that programs call with a key: its calls, its schema, its reference page."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer

from accounts.credentials import actions, bearer, openapi, verification
from accounts.credentials.bearer import Caller
from kellexa_portal.core.errors import DomainError
from kellexa_portal.web import gates, problems
from kellexa_portal.web.client import ip_of
from kellexa_portal.web.methods import require_safe


class RefusedError(Exception):
    """Carries a ready refusal out of the authentication."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(response.status_code)
        self.response = response


class KeyAuth(HttpBearer):
    """An API key as bearer token."""

    def __call__(self, request: HttpRequest) -> Caller:
        now = timezone.now()
        token = bearer.token_of(request)
        found = verification.fetch(token)
        caller = bearer.admit(request, token, found, now=now, limit=bearer.CALL_LIMIT)
        if isinstance(caller, HttpResponse):
            raise RefusedError(caller)
        actions.note_use(key=caller.key, token=caller.token, ip=ip_of(request))
        return caller

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        return self(request)


class KeySelf(Schema):
    """The caller's own key."""

    active: bool
    key_id: str
    kind: str
    environment: str
    organization: str
    owner: str
    scope: str
    exp: int
    iat: int
    cache_ttl: int
    name: str
    state: str


api = NinjaAPI(
    title="Kellexa API",
    version="1",
    description="Errors are RFC 9457 problem details with a stable code; RateLimit headers tell the budget.",
    docs_url=None,
    openapi_url=None,
    urls_namespace="api",
    auth=KeyAuth(),
)


@api.get(
    "keys/self",
    response=KeySelf,
    summary="The caller’s own key",
    operation_id="keys_self",
    tags=["keys"],
    openapi_extra={"responses": openapi.REFUSALS},
)
def keys_self(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    """Any good key may ask what it is and when it ends."""
    caller: Caller = request.auth  # type: ignore[attr-defined]  # ninja sets what KeyAuth answered
    now = timezone.now()
    bearer.finish(response, caller, now=now)
    return bearer.description(caller) | {"name": caller.key.name, "state": str(caller.key.state_at(now))}


@api.exception_handler(RefusedError)
def _refused(request: HttpRequest, error: RefusedError) -> HttpResponse:
    return error.response


@api.exception_handler(AuthenticationError)
def _unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return bearer.unauthenticated(has_tried="Authorization" in request.headers)


@api.exception_handler(DomainError)
def _domain_error(request: HttpRequest, error: DomainError) -> HttpResponse:
    return problems.answer(request, error)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    fields = sorted({str(entry["loc"][-1]) for entry in error.errors})
    return problems.problem(
        status=status,
        code="invalid_request",
        detail=_("The parameters named in “fields” are missing or of the wrong kind."),
        fields=fields,
    )


@api.exception_handler(Http404)
def _missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return problems.not_found(request)


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problems.problem(status=error.status_code, code="refused", detail=str(error))


@gates.machine
@csrf_exempt
def not_found(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Every address under the API that leads nowhere, in the API's own words."""
    return problems.not_found(request)


@gates.public
@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """The API as OpenAPI 3.1."""
    return JsonResponse(openapi.document(api))


@gates.public
@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """The same schema, readable, without a script."""
    return render(request, "accounts/credentials/reference.html", {"calls": openapi.calls(api)})


def gated_urls() -> list[URLPattern]:
    """ninja's own views, each behind the gate for programs; its root page is left out."""
    patterns, _app, _namespace = api.urls
    found = [entry for entry in patterns if isinstance(entry, URLPattern) and entry.name != "api-root"]
    for pattern in found:
        pattern.callback = gates.machine(csrf_exempt(_answering_head(_speaking_problems(pattern.callback))))
    return found


def _speaking_problems(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view, with a wrong method answered as every other refusal here."""

    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        methods = {method.strip() for method in response["Allow"].split(",")}
        if "GET" in methods:
            methods.add("HEAD")
        return problems.method_not_allowed(request, allow=", ".join(sorted(methods)))

    return inner


def _answering_head(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view, with HEAD answered as GET without its body (RFC 9110, 9.3.2); ninja routes GET alone."""

    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "HEAD":
            return view(request, *args, **kwargs)
        request.method = "GET"
        try:
            response = view(request, *args, **kwargs)
        finally:
            request.method = "HEAD"
        response["Content-Length"] = str(len(response.content))
        response.content = b""
        return response

    return inner

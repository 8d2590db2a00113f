"""``POST keys/verify``: is this token good? A plain view, asked for every request that a gateway sees."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from accounts.credentials import actions, bearer, rules, scopes, tokens, verification
from kellexa_portal.core.actor import Actor
from kellexa_portal.web import gates, problems
from kellexa_portal.web.client import ip_of
from kellexa_portal.web.methods import require_post
from kellexa_portal.web.uploads import announced_length

FORM_TYPES = {"application/x-www-form-urlencoded", "multipart/form-data"}
FIELDS = ("token", "scope", "ip")
MAX_BODY = 16 * 1024
MAX_SCOPE = 1000
INACTIVE = {"active": False}


@dataclass(frozen=True, slots=True)
class Question:
    """What a gateway asks: this token, for these scopes, from this address."""

    token: tokens.ParsedToken | None
    scopes: tuple[str, ...]
    ip: str


@gates.machine
@csrf_exempt
@require_post
@sensitive_variables()
@sensitive_post_parameters()
def verify(request: HttpRequest) -> HttpResponse:
    """Answers what a good token may do, or exactly ``{"active": false}`` whatever the reason.

    One query reads caller and token together. The caller is judged first, so that a stranger learns
    nothing, not even whether their question was well formed.
    """
    now = timezone.now()
    asked = read_question(request)
    shown = bearer.token_of(request)
    presented = asked.token if isinstance(asked, Question) else None
    found = verification.fetch(shown, presented) if shown else {}
    caller = bearer.admit(
        request, shown, found, now=now, limit=bearer.VERIFY_LIMIT, needed=(scopes.KEYS_VERIFY,)
    )
    if isinstance(caller, HttpResponse):
        return caller
    if isinstance(asked, HttpResponse):
        return bearer.finish(asked, caller, now=now)
    verdict = verification.judge(asked.token, found, now=now, ip=asked.ip, needed=asked.scopes)
    _leave_traces(request, caller, asked, verdict)
    body = bearer.description(verdict) if verdict.is_active else INACTIVE
    return bearer.finish(JsonResponse(body), caller, now=now)


def _leave_traces(
    request: HttpRequest, caller: bearer.Caller, asked: Question, verdict: verification.Verdict
) -> None:
    actions.note_use(key=caller.key, token=caller.token, ip=ip_of(request))
    if verdict.key is None or asked.token is None:
        return
    if verdict.denial is None:
        actions.note_use(key=verdict.key, token=asked.token.text, ip=asked.ip)
    else:
        actions.note_denial(
            key=verdict.key, denial=verdict.denial, caller=Actor.key(caller.key.key_id), ip=asked.ip
        )


def read_question(request: HttpRequest) -> Question | HttpResponse:
    """The question, or the refusal of one that can't be understood."""
    values = _values(request)
    if isinstance(values, HttpResponse):
        return values
    wrong = [name for name in FIELDS if values.get(name) is not None and not isinstance(values[name], str)]
    token = values.get("token")
    if token is None or wrong:
        return _invalid(wrong or ["token"])
    scope, ip = values.get("scope") or "", values.get("ip") or ""
    if len(scope) > MAX_SCOPE:
        return _invalid(["scope"])
    if ip and rules.parse_address(ip) is None:
        return _invalid(["ip"])
    return Question(tokens.parse(token), tuple(scope.split()), ip)


def _values(request: HttpRequest) -> dict[str, Any] | HttpResponse:
    if announced_length(request) > MAX_BODY:
        return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", _("Send at most 16 KiB."))
    if request.content_type in FORM_TYPES:
        return {name: request.POST[name] for name in FIELDS if name in request.POST}
    if request.content_type != "application/json":
        return _refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", _("Send JSON or a form.")
        )
    try:
        values = json.loads(request.body)
    except (ValueError, RecursionError):
        return _refusal(HTTPStatus.BAD_REQUEST, "malformed_body", _("The body is not JSON."))
    if not isinstance(values, dict):
        return _invalid(["token"])
    return values


def _invalid(fields: list[str]) -> HttpResponse:
    return problems.problem(
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        code="invalid_question",
        detail=_("Send a token; scope and ip, if you send them, as text, and ip as an IP address."),
        fields=fields,
    )


def _refusal(status: HTTPStatus, code: str, detail: str) -> HttpResponse:
    return problems.problem(status=status, code=code, detail=detail)

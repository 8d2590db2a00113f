"""How a program shows a key to the API, and the refusals that RFC 6750 asks for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.credentials import actions, rules, tokens, verification
from accounts.credentials.models import ApiKey
from accounts.credentials.verification import Verdict
from kellexa_portal.core.actor import Actor
from kellexa_portal.ratelimit import Decision, Limit, spend
from kellexa_portal.web import problems
from kellexa_portal.web.client import ip_of

REALM = 'Bearer realm="kellexa"'
EXPIRES_HEADER = "Kellexa-Key-Expires"
MAX_HEADER = 200

#: Seconds for which a gateway may keep a yes. Zero, so that a revoked key is refused at the next request.
CACHE_TTL = 0

#: Enough for a gateway that asks for each of its requests; a runaway loop still ends.
VERIFY_LIMIT = Limit("api-verify", 30_000, timedelta(minutes=1))
CALL_LIMIT = Limit("api-call", 600, timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class Caller:
    """A program whose key was good, and the budget that it has left."""

    key: ApiKey
    scopes: tuple[str, ...]
    token: str
    limit: Limit
    decision: Decision


def token_of(request: HttpRequest) -> tokens.ParsedToken | None:
    """The well-formed token in ``Authorization``; ``None`` for none, several or anything else.

    Never from the address or the body: those are logged and kept (RFC 6750, 5.3).
    """
    header = request.headers.get("Authorization", "")
    scheme, _space, credential = header.partition(" ")
    if scheme.lower() != "bearer" or len(header) > MAX_HEADER:
        return None
    return tokens.parse(credential.strip())


def admit(
    request: HttpRequest,
    token: tokens.ParsedToken | None,
    found: Mapping[str, ApiKey],
    *,
    now: datetime,
    limit: Limit,
    needed: tuple[str, ...] = (),
) -> Caller | HttpResponse:
    """The caller, or the refusal to answer with: 401, 403 for a missing scope, 429 for a spent budget.

    The owner's log hears of a genuine key that is refused: whoever still holds a revoked one is seen.
    """
    verdict = verification.judge(token, found, now=now, ip=ip_of(request), needed=needed)
    if verdict.key is not None and verdict.denial is not None:
        actions.note_denial(key=verdict.key, denial=verdict.denial, caller=Actor.key(verdict.key.key_id))
    if token is None or verdict.key is None or (verdict.denial and verdict.denial != "scope"):
        return unauthenticated(has_tried="Authorization" in request.headers)
    if verdict.denial is not None:
        return insufficient_scope(needed)
    decision = spend(limit, verdict.key.key_id)
    if not decision.allowed:
        return too_many(limit, decision)
    return Caller(verdict.key, verdict.scopes, token.text, limit, decision)


def unauthenticated(*, has_tried: bool) -> HttpResponse:
    """401. An unknown, wrong, ended or misplaced key gets the same words as one that never was."""
    status = HTTPStatus.UNAUTHORIZED
    response = problems.problem(
        status=status,
        code="invalid_key",
        detail=_("Send a valid API key as “Authorization: Bearer …”."),
    )
    response["WWW-Authenticate"] = f'{REALM}, error="invalid_token"' if has_tried else REALM
    return response


def insufficient_scope(needed: tuple[str, ...]) -> HttpResponse:
    """403: a good key without the right for this."""
    status = HTTPStatus.FORBIDDEN
    names = " ".join(needed)
    response = problems.problem(
        status=status,
        code="insufficient_scope",
        detail=_("This key lacks the scope %(scope)s.") % {"scope": names},
    )
    response["WWW-Authenticate"] = f'{REALM}, error="insufficient_scope", scope="{names}"'
    return response


def too_many(limit: Limit, decision: Decision) -> HttpResponse:
    """429, and when to come back."""
    status = HTTPStatus.TOO_MANY_REQUESTS
    response = problems.problem(
        status=status,
        code="rate_limited",
        detail=_("This key has used its budget of requests. Come back when Retry-After says."),
    )
    response["Retry-After"] = str(max(1, decision.retry_after_seconds))
    return _with_budget(response, limit, decision)


def finish(response: HttpResponse, caller: Caller, *, now: datetime) -> HttpResponse:
    """Adds what every answer to a good key says: no caching, the budget, and an end that is near."""
    response["Cache-Control"] = "no-store"
    expires_at = caller.key.expires_at
    if expires_at - now <= rules.EXPIRING_WITHIN:
        response[EXPIRES_HEADER] = f"{expires_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return _with_budget(response, caller.limit, caller.decision)


def _with_budget(response: HttpResponse, limit: Limit, decision: Decision) -> HttpResponse:
    response["RateLimit-Limit"] = str(limit.budget)
    response["RateLimit-Remaining"] = str(decision.remaining)
    response["RateLimit-Reset"] = str(math.ceil(decision.whole_after.total_seconds()))
    return response


def description(verdict: Verdict | Caller) -> dict[str, object]:
    """What may be said of a good key (RFC 7662, section 2.2); ``verdict.key`` must be set."""
    key = verdict.key
    assert key is not None
    return {
        "active": True,
        "key_id": key.key_id,
        "kind": key.kind,
        "environment": key.environment,
        "organization": str(key.organization.public_id),
        "owner": str(key.owner.public_id),
        "scope": " ".join(verdict.scopes),
        "exp": int(key.expires_at.timestamp()),
        "iat": int(key.created_at.timestamp()),
        "cache_ttl": CACHE_TTL,
    }

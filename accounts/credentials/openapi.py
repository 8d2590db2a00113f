"""The published schema: ninja's calls, and the plain view that answers gateways, in one document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from ninja import NinjaAPI

from accounts.credentials import tokens

TOKEN_PATTERN = tokens.PUBLISHED_REGEX.replace(r"\b", "")

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; tell errors apart by this."},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "fields": {"type": "array", "items": {"type": "string"}},
    },
}


def _problem(description: str) -> dict[str, Any]:
    reference = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/problem+json": {"schema": reference}}}


REFUSALS: dict[int, dict[str, Any]] = {
    401: _problem("No key, or not a good one (invalid_key)."),
    429: _problem("The key’s budget is spent (rate_limited); see Retry-After."),
}

QUESTION = {
    "type": "object",
    "required": ["token"],
    "properties": {
        "token": {"type": "string", "description": f"The token that a client showed; {TOKEN_PATTERN}"},
        "scope": {"type": "string", "description": "Scopes, separated by spaces, that all must be there."},
        "ip": {
            "type": "string",
            "description": "The client’s address. Without it a key bound to networks is refused.",
        },
    },
}

ACTIVE = {
    "type": "object",
    "required": [
        "active", "key_id", "kind", "environment", "organization",
        "owner", "scope", "exp", "iat", "cache_ttl",
    ],
    "properties": {
        "active": {"const": True},
        "key_id": {"type": "string"},
        "kind": {"enum": ["personal", "service"]},
        "environment": {"enum": ["live", "test"]},
        "organization": {"type": "string", "format": "uuid"},
        "owner": {"type": "string", "format": "uuid"},
        "scope": {"type": "string", "description": "What the key may do now, separated by spaces."},
        "exp": {"type": "integer", "description": "Unix seconds at which it ends."},
        "iat": {"type": "integer", "description": "Unix seconds at which it was made."},
        "cache_ttl": {
            "type": "integer", "minimum": 0, "maximum": 10,
            "description": "Seconds for which this answer may be kept; 0 means ask again each time.",
        },
    },
}  # fmt: skip

INACTIVE = {
    "type": "object",
    "required": ["active"],
    "properties": {"active": {"const": False}},
    "additionalProperties": False,
}

VERIFY: dict[str, Any] = {
    "operationId": "keys_verify",
    "summary": "Whether a token is good now",
    "description": (
        "For gateways; needs the scope keys:verify. Every no is the same, whatever the reason: unknown, "
        "revoked, expired, from a wrong address, without the scope, its owner gone."
    ),
    "tags": ["keys"],
    "security": [{"KeyAuth": ["keys:verify"]}],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": QUESTION},
            "application/x-www-form-urlencoded": {"schema": QUESTION},
        },
    },
    "responses": {
        200: {
            "description": "The answer (RFC 7662).",
            "content": {"application/json": {"schema": {"oneOf": [ACTIVE, INACTIVE]}}},
        },
        400: _problem("The body can’t be read (malformed_body)."),
        **REFUSALS,
        403: _problem("The key lacks keys:verify (insufficient_scope)."),
        413: _problem("The body is too large (too_large)."),
        415: _problem("Neither JSON nor a form (unsupported_media_type)."),
        422: _problem("No token, or a field of the wrong kind (invalid_question)."),
    },
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as the reference page shows it."""

    method: str
    path: str
    summary: str
    description: str
    answers: list[tuple[str, str]]


def document(api: NinjaAPI) -> dict[str, Any]:
    """The whole schema, OpenAPI 3.1."""
    root = reverse("api:root")
    found: dict[str, Any] = dict(api.get_openapi_schema(path_prefix=root.lstrip("/")))
    found["paths"] = {**found["paths"], f"{root}keys/verify": {"post": VERIFY}}
    components = found["components"]
    found["components"] = {
        **components,
        "schemas": {**components.get("schemas", {}), "Problem": PROBLEM},
    }
    return found


def calls(api: NinjaAPI) -> list[Call]:
    """The calls in order of their paths."""
    return [
        Call(
            method=method.upper(),
            path=path,
            summary=operation.get("summary", ""),
            description=operation.get("description", ""),
            answers=[
                (str(status), answer.get("description", ""))
                for status, answer in sorted(operation["responses"].items(), key=lambda pair: str(pair[0]))
            ],
        )
        for path, operations in sorted(document(api)["paths"].items())
        for method, operation in operations.items()
    ]

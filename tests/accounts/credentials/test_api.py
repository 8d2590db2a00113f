"""The rest of the API: the caller's own key, the schema, its refusals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import resolve
from django.utils import timezone

from accounts.credentials import actions
from kellexa_portal.audit import Stream
from kellexa_portal.audit.queries import events_of
from kellexa_portal.core.actor import Actor
from tests.factories import credentials
from tests.factories.audit_support import recorded

pytestmark = pytest.mark.django_db

SELF = "/api/v1/keys/self"


def _self(client: Client, token: str, **headers: str) -> Any:
    return client.get(SELF, headers={"Authorization": f"Bearer {token}", **headers})


def test_any_key_may_ask_what_it_is(client: Client) -> None:
    issued = credentials.issued()

    answer = _self(client, issued.token)

    assert answer.status_code == 200
    assert answer.json()["key_id"] == issued.key.key_id
    assert answer.json()["name"] == "Deploy bot"
    assert answer.json()["state"] == "active"
    assert answer["Cache-Control"] == "no-store"
    assert answer["RateLimit-Limit"] == "600"
    assert "Kellexa-Key-Expires" not in answer


def test_the_last_fourteen_days_are_announced_in_a_header(client: Client) -> None:
    issued = credentials.issued()
    issued.key.expires_at = timezone.now() + timedelta(days=13)
    credentials.resealed(issued.key)

    answer = _self(client, issued.token)

    assert answer["Kellexa-Key-Expires"] == f"{issued.key.expires_at:%Y-%m-%dT%H:%M:%SZ}"
    assert answer.json()["state"] == "expiring"


def test_a_bound_key_is_refused_from_elsewhere(client: Client) -> None:
    issued = credentials.issued(allowed_networks=["192.0.2.0/24"])

    answer = _self(client, issued.token)

    assert answer.status_code == 401


def test_a_revoked_key_that_is_still_used_is_seen_in_the_owners_log(client: Client) -> None:
    issued = credentials.issued()
    actions.revoke_key(actor=Actor.system("tests"), key=issued.key, reason="leaked")

    answer = _self(client, issued.token)

    stream = Stream.organization(issued.key.organization.public_id)
    assert answer.status_code == 401
    assert recorded(stream)[-1] == "key.verify.deny"
    assert events_of(stream).latest("pk").actor_id == issued.key.key_id


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer nonsense", "Token x"])
def test_without_a_good_key_the_answer_is_a_401_problem(client: Client, header: str | None) -> None:
    answer = client.get(SELF, headers={"Authorization": header} if header else {})

    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "invalid_key"


def test_a_session_opens_nothing_in_the_api(client: Client) -> None:
    from tests.factories import organizations, sign_in

    place = organizations.founder()
    sign_in.sign_in(client, place.user)

    assert client.get(SELF).status_code == 401


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_wrong_method_is_a_405_problem(client: Client, method: str) -> None:
    answer = getattr(client, method)(SELF)

    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/problem+json"
    assert "GET" in answer["Allow"]


def test_a_wrong_method_is_told_the_right_ones(client: Client) -> None:
    answer = client.post(SELF)

    assert answer["Allow"] == "GET, HEAD"
    assert "GET, HEAD" in answer.json()["detail"]


def test_head_answers_as_get_does_without_its_body() -> None:
    token = credentials.issued().token
    headers = {"Authorization": f"Bearer {token}"}
    view = resolve(SELF).func

    got = view(RequestFactory().get(SELF, headers=headers))
    answer = view(RequestFactory().head(SELF, headers=headers))

    assert answer.status_code == 200
    assert answer.content == b""
    assert answer["Content-Length"] == str(len(got.content))
    assert answer["Content-Type"] == got["Content-Type"]
    assert answer["RateLimit-Limit"] == "600"


@pytest.mark.parametrize("path", ["keys/self", "openapi.json", "docs"])
def test_head_works_wherever_get_does(client: Client, path: str) -> None:
    headers = {"Authorization": f"Bearer {credentials.issued().token}"}

    answer = client.head(f"/api/v1/{path}", headers=headers)

    assert answer.status_code == 200
    assert int(answer["Content-Length"]) > 0


def test_head_without_a_good_key_is_refused(client: Client) -> None:
    answer = client.head(SELF)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/nothing", "/api/v1/keys/", "/api/v1/keys/self/x"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_unknown_address_is_a_404_problem(client: Client, path: str, method: str) -> None:
    answer = getattr(client, method)(path)

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


def test_the_schema_is_openapi_3_1_and_names_every_call(client: Client) -> None:
    answer = client.get("/api/v1/openapi.json")

    schema = answer.json()
    assert schema["openapi"].startswith("3.1")
    assert set(schema["paths"]) == {"/api/v1/keys/self", "/api/v1/keys/verify"}
    assert set(schema["paths"]["/api/v1/keys/verify"]["post"]["responses"]) >= {
        "200",
        "401",
        "403",
        "422",
        "429",
    }
    assert schema["components"]["securitySchemes"]["KeyAuth"]["scheme"] == "bearer"
    assert "Problem" in schema["components"]["schemas"]


def test_the_answers_have_the_shape_that_the_schema_promises(client: Client) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    promised = schema["components"]["schemas"]["KeySelf"]

    answer = _self(client, credentials.issued().token).json()

    assert set(answer) == set(promised["properties"]) == set(promised["required"])


def test_the_reference_is_readable_without_a_script(client: Client) -> None:
    answer = client.get("/api/v1/docs")

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "POST /api/v1/keys/verify" in page
    assert "GET /api/v1/keys/self" in page
    assert "swagger" not in page.lower()

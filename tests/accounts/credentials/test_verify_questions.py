"""``POST keys/verify``: who may ask, how, and what nobody may learn from an answer."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.test import Client

from accounts.credentials import actions, bearer, tokens
from accounts.credentials.actions import IssuedKey
from kellexa_portal.core.actor import Actor
from kellexa_portal.ratelimit import Limit
from tests.accounts.credentials.conftest import VERIFY, Ask
from tests.factories import credentials

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic dXNlcjpwYXNz", "Bearer " + "x" * 73])
def test_without_a_good_key_the_answer_is_401_whatever_was_asked(
    client: Client, db: None, header: str
) -> None:
    headers = {"Authorization": header} if header else {}
    for body in ({"token": "x"}, "not json"):
        answer = client.post(VERIFY, body, content_type="application/json", headers=headers)

        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/problem+json"
        assert answer["WWW-Authenticate"].startswith('Bearer realm="kellexa"')
        assert answer.json()["code"] == "invalid_key"


def test_a_revoked_gateway_is_refused_at_once(ask: Ask, gateway: IssuedKey) -> None:
    issued = credentials.issued()
    actions.revoke_key(actor=Actor.system("tests"), key=gateway.key, reason="other")

    assert ask(issued.token).status_code == 401


def test_a_customers_key_may_not_verify(client: Client, gateway: IssuedKey) -> None:
    issued = credentials.issued()

    answer = client.post(
        VERIFY,
        {"token": gateway.token},
        content_type="application/json",
        headers={"Authorization": f"Bearer {issued.token}"},
    )

    assert answer.status_code == 403
    assert answer.json()["code"] == "insufficient_scope"
    assert 'scope="keys:verify"' in answer["WWW-Authenticate"]


def test_a_spent_budget_answers_429_and_when_to_come_back(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    issued = credentials.issued()
    monkeypatch.setattr(bearer, "VERIFY_LIMIT", Limit("api-verify-small", 2, timedelta(minutes=1)))

    answers = [ask(issued.token) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert 1 <= int(answers[2]["Retry-After"]) <= 60
    assert answers[2].json()["code"] == "rate_limited"


# --- Questions that make no sense ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b" ", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 10_000, 400),
        (b"[]", 422),
        (b"null", 422),
        (b"{}", 422),
        (b'{"token": 7}', 422),
        (b'{"token": null}', 422),
        (b'{"token": ["x"]}', 422),
        (b'{"token": "x", "scope": ["a"]}', 422),
        (b'{"token": "x", "ip": 7}', 422),
        (b'{"token": "x", "ip": "somewhere"}', 422),
        (b'{"token": "x", "scope": "' + b"s" * 2000 + b'"}', 422),
        (b'{"token": "' + b"x" * 20_000 + b'"}', 413),
        (b'{"token": "\\ud800\\u0000"}', 200),
        (b'{"token": "x", "more": 1}', 200),
    ],
)
def test_a_malformed_question_gets_a_problem_and_never_an_error(
    client: Client, gateway: IssuedKey, body: bytes, status: int
) -> None:
    answer = client.generic(
        "POST",
        VERIFY,
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {gateway.token}"},
    )

    assert answer.status_code == status
    if status != 200:
        assert answer["Content-Type"] == "application/problem+json"
        assert json.loads(answer.content)["code"]


@pytest.mark.parametrize("size", [20_000, 1_000_000])
def test_a_form_has_the_same_bound_as_json(client: Client, gateway: IssuedKey, size: int) -> None:
    answer = client.generic(
        "POST",
        VERIFY,
        b"token=" + b"x" * size,
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": f"Bearer {gateway.token}"},
    )

    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


def test_another_kind_of_body_is_415(client: Client, gateway: IssuedKey) -> None:
    answer = client.post(
        VERIFY, "token=x", content_type="text/plain", headers={"Authorization": f"Bearer {gateway.token}"}
    )

    assert answer.status_code == 415


def test_a_token_in_the_address_is_not_read(client: Client, gateway: IssuedKey) -> None:
    answer = client.post(
        f"{VERIFY}?token={credentials.issued().token}",
        {},
        content_type="application/json",
        headers={"Authorization": f"Bearer {gateway.token}"},
    )

    assert answer.status_code == 422


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_a_wrong_method_is_a_405_problem(client: Client, db: None, method: str) -> None:
    answer = getattr(client, method)(VERIFY)

    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert answer["Content-Type"] == "application/problem+json"


def test_no_answer_holds_a_secret(ask: Ask) -> None:
    issued = credentials.issued()

    answer = ask(issued.token)

    assert not re.search(tokens.PUBLISHED_REGEX, answer.content.decode())
    assert issued.token[24:67] not in str(answer.headers)

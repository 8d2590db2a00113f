"""The JSON API answers every question, however it is put, in its own words and never with a 500."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from django.http import HttpResponse
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tests.factories import credentials

pytestmark = pytest.mark.django_db

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MALFORMED_JSON = {
    "nothing": b"",
    "no JSON": b"{",
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 20_000,
    "not UTF-8": b'{"token": "\xff"}',
    "a huge number": b'{"token": ' + b"9" * 5_000 + b"}",
    "trailing": b'{"token": "x"} {}',
}
WRONG_JSON = {
    "null": b"null",
    "a list": b"[]",
    "a text": b'"x"',
    "a number": b"1e400",
    "NaN": b"NaN",
    "no token": b"{}",
    "token null": b'{"token": null}',
    "token list": b'{"token": ["x"]}',
    "token object": b'{"token": {"$ne": null}}',
    "token true": b'{"token": true}',
    "token number": b'{"token": 1e400}',
    "scope list": b'{"token": "x", "scope": ["a"]}',
    "scope over-long": json.dumps({"token": "x", "scope": "a" * 2_000}).encode(),
    "ip number": b'{"token": "x", "ip": 1}',
    "ip nonsense": b'{"token": "x", "ip": "999.1.1.1"}',
    "ip NUL": b'{"token": "x", "ip": "\\u0000"}',
    "ip surrogate": b'{"token": "x", "ip": "\\ud800"}',
}
INACTIVE_JSON = {
    "token NUL": b'{"token": "\\u0000"}',
    "token surrogate": b'{"token": "\\ud800"}',
    "token over-long": json.dumps({"token": "k" * 10_000}).encode(),
    "UTF-16": '{"token": "x"}'.encode("utf-16"),
    "token empty": b'{"token": ""}',
    "scope surrogate": b'{"token": "x", "scope": "\\ud800"}',
    "twice": b'{"token": 1, "token": "x"}',
    "more": b'{"token": "x", "__proto__": {}, "extra": [1]}',
}


def _verify(body: bytes, content_type: str = JSON, **headers: str) -> HttpResponse:
    bearer = {"authorization": f"Bearer {credentials.gateway().token}", **headers}
    client = Client(raise_request_exception=False)
    return client.generic("POST", "/api/v1/keys/verify", body, content_type=content_type, headers=bearer)


def _multipart(token: bytes) -> bytes:
    return bytes(encode_multipart(BOUNDARY, {"token": token.decode()}))


def _assert_problem(answer: HttpResponse, statuses: set[int]) -> None:
    assert answer.status_code in statuses, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert json.loads(answer.content)["code"]


@pytest.mark.parametrize("kind", MALFORMED_JSON)
def test_malformed_json_is_a_problem(kind: str) -> None:
    _assert_problem(_verify(MALFORMED_JSON[kind]), {400, 413, 415})


@pytest.mark.parametrize("kind", WRONG_JSON)
def test_json_of_the_wrong_shape_is_a_problem(kind: str) -> None:
    _assert_problem(_verify(WRONG_JSON[kind]), {422})


@pytest.mark.parametrize("kind", INACTIVE_JSON)
def test_a_token_that_can_be_none_is_inactive(kind: str) -> None:
    answer = _verify(INACTIVE_JSON[kind])

    assert answer.status_code == 200
    assert json.loads(answer.content) == {"active": False}


@pytest.mark.parametrize("size", [17_000, 1_100_000, 5_000_000])
def test_a_huge_body_is_a_problem(size: int) -> None:
    _assert_problem(_verify(json.dumps({"token": "k" * size}).encode()), {413})
    _assert_problem(_verify(b"token=" + b"k" * size, FORM), {413})
    _assert_problem(_verify(_multipart(b"k" * size), MULTIPART_CONTENT), {413})


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/xml", "x/y; charset=zlib", f"{JSON}; charset=zlib"]
)
def test_another_content_type_is_a_problem(content_type: str) -> None:
    _assert_problem(_verify(b'{"token": "x"}', content_type), {400, 415})


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer a b",
        "Bearer \xff",
        "Bearer \x00",
        "Bearer " + "k" * 9_000,
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "keys/verify"), ("GET", "keys/self")])
def test_a_credential_that_is_none_is_refused(method: str, path: str, credential: str) -> None:
    answer = Client(raise_request_exception=False).generic(
        method, f"/api/v1/{path}", b'{"token": "x"}', content_type=JSON, headers={"authorization": credential}
    )

    _assert_problem(answer, {401})


@pytest.mark.parametrize("path", ["nothing", "keys", "keys/verify/", "%ff", "..%2f..", quote("\U0001f4a5")])
@pytest.mark.parametrize("method", METHODS)
def test_an_address_of_the_api_that_leads_nowhere_is_a_problem(method: str, path: str) -> None:
    answer = Client(raise_request_exception=False).generic(method, f"/api/v1/{path}")

    _assert_problem(answer, {404})

"""Secrets by shape, by name and by exact value; and what has to stay readable."""

from __future__ import annotations

import json
import re
import time

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from kellexa_portal.redaction import redact
from tests.kellexa_portal.redaction.planted import COOKIE, OTPAUTH, PASSWORD, PEM, TOKEN, WEBHOOK, leaks

CONTRACT = re.compile(r"\bklx[ps]_(?:live|test)_[0-9A-Za-z]{63}\b")


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"key={TOKEN}",
        f"x{TOKEN}y",
        f"/api/{TOKEN}/",
        f'{{"token": "{TOKEN}"}}',
        TOKEN[:-8],
        WEBHOOK,
        f"secret is {WEBHOOK}, keep it",
        OTPAUTH,
        f"scan '{OTPAUTH}' now",
        PEM,
        PEM.replace("\n", "\\n"),
        PEM.partition("-----END")[0],
        PEM.replace("PRIVATE", "RSA PRIVATE"),
        f"Authorization: Bearer {PASSWORD}",
        f"Authorization: Basic {PASSWORD}==",
        f"authorization: {PASSWORD}",
        f"{{'Authorization': 'Bearer {PASSWORD}'}}",
        f"{{b'authorization': b'Bearer {PASSWORD}'}}",
        f"[('Authorization', 'Bearer {PASSWORD}')]",
        f"[[b'authorization', b'Bearer {PASSWORD}']]",
        f"HTTP_AUTHORIZATION='Bearer {PASSWORD}'",
        f"curl -H 'Authorization: Bearer {PASSWORD}' https://portal.example",
        f"Cookie: theme=dark; session={COOKIE}; csrf={COOKIE}",
        f"Set-Cookie: __Host-session={COOKIE}; Secure",
        f"{{'Cookie': 'theme=\"dark\"; session={COOKIE}'}}",
        f"__Host-session={COOKIE}",
        f"session: {COOKIE}",
        f"sessionid={COOKIE}",
        f"session_key='{COOKIE}'",
        f"csrfmiddlewaretoken={COOKIE}&email=ada",
        f"password={PASSWORD}",
        f"PASSWORD={PASSWORD}",
        f"new_password={PASSWORD}&email=ada",
        f"email=ada&password={PASSWORD}",
        f"https://portal.example/?next=/&token={PASSWORD}#top",
        f"next=%2F%3Ftoken%3D{PASSWORD}",
        f'{{"password":"{PASSWORD}"}}',
        f'{{"password" : "{PASSWORD}", "n": 1}}',
        f'{{"password": "a\\"{PASSWORD}"}}',
        json.dumps(json.dumps({"password": PASSWORD, "email": "ada"})),
        f"{{'password': '{PASSWORD}'}}",
        f"{{'password': ['{PASSWORD}', 'again {PASSWORD}']}}",
        f"<QueryDict: {{'new_password': ['{PASSWORD}']}}>",
        f"sign_in(email='ada', password='{PASSWORD}')",
        f"sign_in(password={PASSWORD})",
        f"password: {PASSWORD}",
        f"password => {PASSWORD}",
        f"password=[{PASSWORD}",
        f"client_secret='{PASSWORD}'",
        f"API-Key: {PASSWORD}",
        f"x-api-key={PASSWORD}",
        f"refresh_token={PASSWORD}",
        f"recovery_code={PASSWORD}",
        f"('password', '{PASSWORD}')",
        f"b'password={PASSWORD}'",
        f'Content-Disposition: form-data; name="password"\r\n\r\n{PASSWORD}\r\n--boundary',
        f"postgres://portal:{PASSWORD}@db.internal/portal",
        f"redis://:{PASSWORD}@redis.internal/0",
        f"\ud800 password={PASSWORD} \x00",
    ],
)
def test_secret_is_removed_and_stays_removed(text: str) -> None:
    once = redact(text)

    assert not leaks(once), once
    assert redact(once) == once


@pytest.mark.parametrize("place", ["{}", "code={}", '"code": "{}"', "'code': ['{}']", "code: {}"])
def test_authentication_code_is_removed_where_it_is_named(place: str) -> None:
    text = place.format("493817")

    assert ("493817" in redact(text)) == (place == "{}")


@pytest.mark.parametrize(
    "token",
    ["R7x-kP0qWm3ZtV8uYb1LcN5dHs9JfGa2EoQi4BwTxKM", "ckz3ab-9f86d081884c7d659a2feaa0c55ad015"],
    ids=["ours", "Django's"],
)
def test_token_in_the_path_of_a_mailed_link_is_removed(token: str) -> None:
    assert redact(f"GET /accounts/signup/{token}/ 200") == "GET /accounts/signup/[redacted]/ 200"


@pytest.mark.parametrize(
    "text",
    [
        "The API key was created.",
        "Wrong password.",
        "The token has expired; ask for another.",
        "CSRF token missing.",
        "basic authentication is off",
        "Forbidden (CSRF token from POST incorrect.): /accounts/login/",
        "session_count=4 password_changed_at=2026-11-23T10:00:00Z token_type Bearer",
        "status_code=200 code=404",
        "GET /accounts/keys/9f4bec55-683e-4fc4-bef7-b791816e0e06/ 200",
        'File "/srv/portal/accounts/credentials/test_a_revoked_key_is_refused_at_once.py", line 3',
        "klxp_live_4fQ8aZ0mN2cR7x was revoked",
        "postgres://db.internal/portal",
        "ada@acme.example signed in from 192.0.2.7",
        "",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_token_keeps_its_public_id_for_whoever_has_to_find_it() -> None:
    assert CONTRACT.fullmatch(TOKEN)
    assert redact(f"leaked {TOKEN}!") == f"leaked {TOKEN[:24]}[redacted]!"


def test_json_stays_json() -> None:
    secrets = {
        "password": PASSWORD,
        "tokens": [TOKEN, 'quote " and \\ backslash'],
        "nested": {"authorization": f"Bearer {TOKEN}", "cookie": 'a="b"; c=d', "n": 1},
        "text": f"password={PASSWORD} \"token\": '{TOKEN}' {OTPAUTH}",
        "key": PEM,
    }

    cleaned = json.loads(redact(json.dumps(secrets)))

    assert cleaned["nested"]["n"] == 1
    assert not leaks(json.dumps(cleaned))


def test_configured_secrets_are_removed_wherever_they_stand() -> None:
    for secret in settings.SECRET_VALUES:
        assert secret not in redact(f"x{secret}y\n{secret}")
    assert settings.SECRET_KEY not in redact(f"nothing names it: {settings.SECRET_KEY}.")


def test_every_spelling_of_a_configured_key_is_known() -> None:
    for key in (*settings.KEYRING.values(), *settings.TOKEN_PEPPERS.values(), settings.AUDIT_SIGNING_KEY):
        for spelling in (key.hex(), repr(key)[2:-1]):
            assert spelling not in redact(f"the key is {spelling}, sadly")


def test_password_of_a_configured_server_is_removed(tmp_path: object) -> None:
    from django.test import override_settings

    with override_settings(SECRET_VALUES=("Xk4tTq8vLm2wRz6p", "Xk4tTq8vLm2wRz6p-and-longer")):
        assert redact("saw Xk4tTq8vLm2wRz6p-and-longer here") == "saw [redacted] here"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "DETAIL:  Failing row contains (1, a)., x9).\nmore",
            "DETAIL:  Failing row contains ([redacted]).\nmore",
        ),
        (
            "Key (lower(email::text))=(ada@x.example) already exists.",
            "Key (lower(email::text))=([redacted]) already exists.",
        ),
    ],
)
def test_row_that_the_database_quotes_is_removed(before: str, after: str) -> None:
    assert redact(before) == after


@given(st.text())
def test_any_text_is_taken_and_a_second_pass_changes_nothing(text: str) -> None:
    once = redact(text)

    assert redact(once) == once


@pytest.mark.parametrize(
    "piece",
    [
        'password="',
        "password=",
        "a",
        "é",
        "-----BEGIN PRIVATE KEY-----",
        "cookie: ",
        '\\"',
        "/",
        "x.",
        "'token', ",
    ],
)
def test_hostile_text_takes_time_in_proportion_to_its_length(piece: str) -> None:
    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        start = time.perf_counter()
        redact(text)
        return time.perf_counter() - start

    short = min(seconds(50_000) for _ in range(3))
    long = min(seconds(400_000) for _ in range(2))

    assert long < 40 * max(short, 0.001)

"""The log of requests gives away no link and takes no line from outside."""

from __future__ import annotations

import logging
import secrets

import pytest
from django.test import Client

from kellexa_portal.redaction import RedactionFilter

pytestmark = pytest.mark.django_db


def _lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    records = [record for record in caplog.records if record.name == "kellexa.requests"]
    return [record.getMessage() for record in records if RedactionFilter().filter(record)]


def test_each_request_is_one_line(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "kellexa.requests"):
        client.get("/accounts/login/?next=/accounts/")

    [line] = _lines(caplog)
    assert line.startswith("GET /accounts/login/ 200 ")


def test_a_mailed_link_is_redacted(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    token = secrets.token_urlsafe(32)
    with caplog.at_level(logging.INFO, "kellexa.requests"):
        client.get(f"/accounts/signup/confirm/{token}/")

    [line] = _lines(caplog)
    assert token not in line


def test_an_address_can_not_begin_a_line(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "kellexa.requests"):
        client.get("/nope%0aGET%20/forged%20200%201%20ms%1b%5b31m")

    [line] = _lines(caplog)
    assert "\n" not in line
    assert "\x1b" not in line

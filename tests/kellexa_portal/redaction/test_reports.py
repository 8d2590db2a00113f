"""Error pages and error reports with planted secrets."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest
from django.test import RequestFactory, override_settings
from django.views.debug import technical_500_response

from kellexa_portal.redaction.reports import PortalExceptionReporter
from tests.kellexa_portal.redaction.planted import COOKIE, OTPAUTH, PASSWORD, PEM, TOKEN, WEBHOOK, leaks

LINK_TOKEN = "R7x-kP0qWm3ZtV8uYb1LcN5dHs9JfGa2EoQi4BwTxKM"


class _Account:
    def __repr__(self) -> str:
        return f"<Account token={TOKEN} {WEBHOOK}>"


def _request() -> HttpRequest:
    request = RequestFactory().post(
        f"/accounts/password/reset/{LINK_TOKEN}/?token={TOKEN}&code=493817",
        {"email": "ada@acme.example", "oddly_named": PASSWORD, "recovery_code": PASSWORD},
        headers={"authorization": f"Bearer {TOKEN}", "x-api-key": PASSWORD, "referer": f"/x?token={TOKEN}"},
    )
    request.COOKIES = {"session": COOKIE, "theme": COOKIE}
    request.META["HTTP_COOKIE"] = f"session={COOKIE}"
    return request


def _fail(request: HttpRequest) -> None:
    """Holds secrets in local variables of every kind, and in what it raises."""
    password = PASSWORD
    new_password: bytes = PASSWORD.encode()
    posted = request.POST
    nested = {"a": [{"token": TOKEN}], "uri": OTPAUTH, b"raw": f"password={PASSWORD}".encode()}
    account = _Account()
    pem = PEM
    raise ValueError(
        f"password={password} {TOKEN}", bool(new_password and posted and nested and account and pem)
    )


def _report(request: HttpRequest, kind: str) -> str:
    try:
        _fail(request)
    except ValueError:
        reporter = PortalExceptionReporter(request, *sys.exc_info())
    return str(getattr(reporter, f"get_traceback_{kind}")())


@pytest.mark.parametrize("kind", ["html", "text"])
@pytest.mark.parametrize("settings_changed", [{"DEBUG": True}, {"DEBUG": False}])
def test_report_shows_where_it_failed_and_no_secret(kind: str, settings_changed: dict[str, bool]) -> None:
    with override_settings(**settings_changed):
        report = _report(_request(), kind)

    assert "ValueError" in report
    assert "_fail" in report
    assert not leaks(report), leaks(report)
    assert LINK_TOKEN not in report
    assert "493817" not in report


@pytest.mark.parametrize("kind", ["html", "text"])
def test_report_shows_no_configured_secret(kind: str) -> None:
    report = _report(_request(), kind)

    assert [secret for secret in settings.SECRET_VALUES if secret in report] == []


def test_report_outside_debug_shows_no_local_variable() -> None:
    with override_settings(DEBUG=False):
        report = _report(_request(), "html")

    assert "&lt;Account" not in report


def test_debug_page_uses_the_same_report() -> None:
    request = _request()
    with override_settings(DEBUG=True):
        try:
            _fail(request)
        except ValueError:
            page = technical_500_response(request, *sys.exc_info())  # type: ignore[arg-type]  # an exception is there

    assert page.status_code == 500
    assert not leaks(page.content.decode())


def test_report_without_a_request_works() -> None:
    def fail(token: str) -> None:
        raise ValueError(token)

    try:
        fail(TOKEN)
    except ValueError:
        report = PortalExceptionReporter(None, *sys.exc_info()).get_traceback_text()  # type: ignore[arg-type]  # a task

    assert "ValueError" in report
    assert not leaks(report)


def test_settings_in_a_report_hide_what_their_names_tell() -> None:
    shown: dict[str, Any] = PortalExceptionReporter(None, None, None, None).filter.get_safe_settings()  # type: ignore[arg-type]  # settings alone

    for name in ("SECRET_KEY", "KEYRING", "TOKEN_PEPPERS", "AUDIT_SIGNING_KEY", "SECRET_VALUES"):
        assert shown[name] == "********************"
    assert shown["DATABASES"]["default"]["PASSWORD"] == "********************"

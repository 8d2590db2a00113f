"""What production tells browsers of its address for years, and what operators are told of that."""

from __future__ import annotations

from pathlib import Path

import pytest

from kellexa_portal import env
from tests.kellexa_portal.env.surroundings import good_production, manage

ANSWERED_OVER_HTTPS = """
from django.http import HttpResponse
from django.middleware.security import SecurityMiddleware
from django.test import RequestFactory
answer = SecurityMiddleware(lambda request: HttpResponse())(RequestFactory().get("/", secure=True))
print("Strict-Transport-Security:", answer["Strict-Transport-Security"])
"""


@pytest.mark.slow
def test_the_manual_shows_the_transport_header_that_production_sends(tmp_path: Path) -> None:
    sent = manage("shell", "--no-imports", "-c", ANSWERED_OVER_HTTPS, variables=good_production(tmp_path))

    header = sent.stdout.strip()
    assert header.startswith("Strict-Transport-Security: max-age="), sent.stderr
    assert f"\n{header}\n" in (env.BASE_DIR / "docs" / "configuration.md").read_text(encoding="utf-8")

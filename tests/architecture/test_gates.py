"""Every view declares who may knock."""

from __future__ import annotations

from django.core.checks import run_checks
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

from kellexa_portal.web.routes import walk


def _ungated(request: HttpRequest) -> HttpResponse:
    return HttpResponse("secret")


urlpatterns = [path("ungated/", _ungated)]


def test_every_view_declares_a_gate() -> None:
    found = [message for message in run_checks() if message.id == "kellexa.E001"]

    assert found == []
    assert len(list(walk())) > 40


@override_settings(ROOT_URLCONF=__name__)
def test_the_check_names_a_view_without_a_gate() -> None:
    found = [message for message in run_checks() if message.id == "kellexa.E001"]

    assert len(found) == 1
    assert "ungated/" in found[0].msg


@override_settings(ROOT_URLCONF=__name__)
def test_a_view_without_a_gate_is_not_served(client) -> None:
    response = client.get("/ungated/")

    assert response.status_code == 404
    assert b"secret" not in response.content

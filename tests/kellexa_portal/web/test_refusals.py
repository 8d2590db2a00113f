"""Refusals have one form for people and one for programs, and no input makes a 500."""

from __future__ import annotations

import json
from http import HTTPStatus

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.test.client import MULTIPART_CONTENT
from django.urls import path

from kellexa_portal.core.errors import DomainError, Fault
from kellexa_portal.web import gates
from kellexa_portal.web.methods import require_post


class Taken(DomainError):
    """A planted refusal."""

    code = "name_taken"
    fault = Fault.CONFLICT
    message = "%(name)s is taken."


class Hurried(DomainError):
    """A planted refusal that says when to come back."""

    code = "hurried"
    fault = Fault.LIMITED
    message = "Slow down."


@gates.public
def _taken(request: HttpRequest) -> HttpResponse:
    raise Taken(name="<b>Acme</b>")


@gates.public
def _hurried(request: HttpRequest) -> HttpResponse:
    raise Hurried(retry_after=1.2)


@gates.public
def _broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("hunter2 at line 7")


@gates.public
@require_post
def _echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse("stored " + request.POST.get("name", ""))


@gates.public
def _suspicious(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation


@gates.public
def _denied(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


urlpatterns = [
    path("suspicious/", _suspicious),
    path("api/suspicious/", _suspicious),
    path("denied/", _denied),
    path("api/denied/", _denied),
    path("taken/", _taken),
    path("api/taken/", _taken),
    path("hurried/", _hurried),
    path("broken/", _broken),
    path("api/broken/", _broken),
    path("echo/", _echo),
    path("api/echo/", _echo),
]

handler400 = "kellexa_portal.web.views.bad_request"
handler403 = "kellexa_portal.web.views.permission_denied"
handler404 = "kellexa_portal.web.views.page_not_found"
handler500 = "kellexa_portal.web.views.server_error"

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def test_a_person_gets_a_page_with_the_sentence_escaped(client: Client) -> None:
    response = client.get("/taken/")

    assert response.status_code == 409
    assert "&lt;b&gt;Acme&lt;/b&gt; is taken." in response.content.decode()
    assert response["Cache-Control"] == "no-store"


def test_a_program_gets_problem_details_with_the_stable_code(client: Client) -> None:
    response = client.get("/api/taken/")

    assert response.status_code == 409
    assert response["Content-Type"] == "application/problem+json"
    body = json.loads(response.content)
    assert body["code"] == "name_taken"
    assert body["status"] == 409
    assert body["request_id"] == response["X-Request-Id"]


def test_a_limit_says_in_whole_seconds_when_to_come_back(client: Client) -> None:
    assert client.get("/hurried/")["Retry-After"] == "2"


@pytest.mark.parametrize("address", ["/broken/", "/api/broken/"])
def test_an_error_of_ours_tells_the_caller_nothing(address: str) -> None:
    response = Client(raise_request_exception=False).get(address)

    assert response.status_code == 500
    assert b"hunter2" not in response.content
    assert b"Traceback" not in response.content


@pytest.mark.parametrize("address", ["/echo/", "/api/echo/"])
def test_a_wrong_method_gets_405_and_the_right_ones(client: Client, address: str) -> None:
    response = client.get(address)

    assert response.status_code == 405
    assert response["Allow"] == "POST"
    assert response.content


@pytest.mark.parametrize("raw", ["name=%00", "name=%ff%fe", "na%00me=x", "name=\x00", "name=%c3%28"])
def test_a_form_that_is_no_text_is_refused_with_a_message(client: Client, raw: str) -> None:
    response = client.post("/echo/", raw, content_type="application/x-www-form-urlencoded")

    assert response.status_code == 400
    assert b"UTF-8" in response.content
    assert b"stored" not in response.content


@pytest.mark.parametrize("address", ["/echo/?q=%00", "/echo/?q=%ff", "/%00/", "/api/echo/?%00"])
def test_an_address_that_is_no_text_is_refused(client: Client, address: str) -> None:
    assert client.get(address).status_code == 400


def test_a_path_of_broken_bytes_leads_nowhere(client: Client) -> None:
    assert client.get("/%ff/").status_code == 404


def test_a_form_in_another_encoding_is_refused(client: Client) -> None:
    content_type = "application/x-www-form-urlencoded; charset=utf-16"

    assert client.post("/echo/", "name=x", content_type=content_type).status_code == 400


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("content_type", [FORM, MULTIPART_CONTENT, "application/json", "text/plain"])
@pytest.mark.parametrize("address", ["/echo/", "/nowhere/", "/api/echo/", "/api/nowhere/"])
def test_a_body_of_more_than_one_mebibyte_is_refused_unread(
    client: Client, address: str, content_type: str
) -> None:
    body = b"name=" + b"x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    response = client.generic("POST", address, body, content_type=content_type)

    assert response.status_code == 413
    assert response["Cache-Control"] == "no-store"
    if address.startswith("/api/"):
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["code"] == "too_large"
        assert "1048576 bytes" in response.json()["detail"]
    else:
        assert response["Content-Type"].startswith("text/html")
        assert "shorten it" in response.content.decode()


@pytest.mark.parametrize("address", ["/echo/", "/api/echo/"])
def test_a_body_in_chunks_is_told_to_announce_its_length(client: Client, address: str) -> None:
    """Django reads as much as is announced, so that such a body would pass for an empty form."""
    answer = client.generic("POST", address, b"", headers={"Transfer-Encoding": "chunked"})

    assert answer.status_code == 411
    assert b"Content-Length" in answer.content or b"another browser" in answer.content


def test_a_form_of_one_mebibyte_is_read(client: Client) -> None:
    body = b"name=".ljust(settings.DATA_UPLOAD_MAX_MEMORY_SIZE, b"x")

    assert client.post("/echo/", body, content_type=FORM).content.startswith(b"stored xxx")


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("POST", "/echo/?%00", 400),
        ("GET", "/suspicious/", 400),
        ("GET", "/denied/", 403),
        ("GET", "/nowhere/", 404),
        ("GET", "/echo/", 405),
        ("GET", "/broken/", 500),
    ],
)
def test_a_program_is_told_in_its_own_words_what_to_change(method: str, address: str, status: int) -> None:
    client = Client(raise_request_exception=False)

    told_to_people = client.generic(method, address).content.decode()
    response = client.generic(method, f"/api{address}")

    problem = response.json()
    assert response.status_code == problem["status"] == status
    assert problem["title"] == HTTPStatus(status).phrase
    assert problem["detail"]
    assert problem["detail"] not in told_to_people
    assert not {"page", "button", "go", "type"} & set(problem["detail"].lower().replace(".", "").split())


def test_a_program_is_told_which_methods_an_address_takes(client: Client) -> None:
    assert client.get("/api/echo/").json()["detail"] == "This address takes POST only."


def test_a_request_id_from_outside_is_not_believed(client: Client) -> None:
    response = client.get("/taken/", headers={"x-request-id": "forged"})

    assert response["X-Request-Id"] != "forged"
    assert len(response["X-Request-Id"]) == 32


@override_settings(PUBLIC_URL="https://trust.example")
def test_links_come_from_configuration_and_not_from_the_host_header() -> None:
    from kellexa_portal.web.links import absolute

    with override_settings(ROOT_URLCONF="kellexa_portal.urls"):
        assert absolute("accounts:login") == "https://trust.example/accounts/login/"

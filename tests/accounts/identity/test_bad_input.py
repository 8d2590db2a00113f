"""Nothing that is posted makes the sign-in family fail."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.identity.models import SignUp
from tests.accounts.identity.wishes import wish

pytestmark = pytest.mark.django_db

PAGES = ["/accounts/signup/", "/accounts/login/", "/accounts/password/reset/"]
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"email=a%00b@x.example&password=quarry%00lantern-orchid-77&name=a%00b&organization_name=c",
        b"email=%ff%fe@x.example&password=%ff%ff&name=%c3%28&organization_name=x",
        b"email[]=a@x.example&password[]=x&name[]=y&organization_name[]=z",
        b"email=%ed%a0%80@x.example&password=%ed%a0%80",
        b"email=" + b"a" * 100_000 + b"@x.example&password=" + b"b" * 100_000,
        b"email=a@" + b"x" * 64 + b".example&password=quarry-lantern-orchid",
        b"email=a@.example&password=quarry-lantern-orchid",
        b"email=%22a%01b%22@x.example&password=quarry-lantern-orchid-77&name=a&organization_name=c",
        b"email=%22a%7fb%22@x.example&password=quarry-lantern-orchid-77&name=a&organization_name=c",
        b"email=@&password=quarry-lantern-orchid",
        b"email=a@b@c.example&password=quarry-lantern-orchid",
        ("email=a@" + "ß" * 250 + "&password=quarry-lantern-orchid").encode(),
        ("email=" + "ﷺ" * 200 + "@x.example&password=quarry-lantern-orchid").encode(),
        b"&" * 150,
    ],
)
def test_unreadable_fields_are_refused_with_a_message(client: Client, page: str, body: bytes) -> None:
    response = client.post(page, body, content_type=FORM)

    assert response.status_code in {400, 422}
    assert response.content


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"email": "a@x.example"}', "application/json"),
        (b"\x00\x01\x02", "application/octet-stream"),
        (b"no boundary", "multipart/form-data; boundary=x"),
        (b"email=a", "application/x-www-form-urlencoded; charset=utf-16"),
        (b"email=a", "application/x-www-form-urlencoded; charset=nonsense"),
    ],
)
def test_other_content_is_refused_with_a_message(
    client: Client, page: str, body: bytes, content_type: str
) -> None:
    assert client.generic("POST", page, body, content_type).status_code in {400, 415, 422}


@pytest.mark.parametrize("page", PAGES)
def test_nul_in_a_multipart_form_is_refused(client: Client, page: str) -> None:
    response = client.post(
        page, wish(email="a\x00b@x.example", password="quarry\x00lantern-orchid", name="a\x00b")
    )

    assert response.status_code in {400, 422}


@pytest.mark.parametrize("page", [*PAGES, "/accounts/signup/sent/", "/accounts/password/reset/sent/"])
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_wrong_methods_are_refused(client: Client, page: str, method: str) -> None:
    assert getattr(client, method)(page).status_code == 405


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\nb", "a\x1bb", "a\u202eb", "\ud800"])
def test_names_that_do_not_show_are_refused(client: Client, name: str) -> None:
    body = "&".join(
        [
            "email=a@x.example&password=quarry-lantern-orchid-77&organization_name=Sample",
            "name=" + "".join(f"%{byte:02x}" for byte in name.encode("utf-8", "surrogatepass")),
        ]
    )

    assert client.post("/accounts/signup/", body, content_type=FORM).status_code in {400, 422}
    assert not SignUp.objects.exists()


@pytest.mark.parametrize("name", ["José Álvarez-Ñandú", "李小龍", "O’Brien & Söhne", "نورا", "x" * 120])
def test_names_of_the_world_are_taken(client: Client, name: str) -> None:
    client.post("/accounts/signup/", wish(name=name))

    assert SignUp.objects.get().name == name


def test_markup_in_what_was_typed_is_shown_as_text(client: Client) -> None:
    page = client.post(
        "/accounts/signup/", wish(name="<script>alert(1)</script>", password="short")
    ).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("field", ["name", "organization_name"])
@pytest.mark.parametrize("typed", ["", "   "])
def test_an_empty_name_is_asked_for_in_plain_words(client: Client, field: str, typed: str) -> None:
    answer = client.post("/accounts/signup/", {field: typed})

    assert answer.status_code == 422
    assert answer.context["form"].errors[field] == ["This field is required."]

"""The theme switch: kept in a cookie, drawn by the server, and no way out to another site."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


def _switch(client: Client, theme: str, next_url: str = "/dev/styleguide/") -> object:
    return client.post(reverse("ui:theme"), {"theme": theme, "next": next_url})


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_chosen_theme_is_drawn_by_the_server(client, theme):
    response = _switch(client, theme)

    assert (response.status_code, response["Location"]) == (303, "/dev/styleguide/")
    assert f'data-theme="{theme}"' in client.get("/dev/styleguide/auth/").content.decode()


def test_the_system_theme_needs_no_cookie(client):
    _switch(client, "dark")

    response = _switch(client, "system")

    assert response.cookies["theme"].value == ""
    assert 'data-theme="system"' in client.get("/dev/styleguide/auth/").content.decode()


def test_a_planted_cookie_never_reaches_the_page(client):
    client.cookies["theme"] = '"><b>'

    html = client.get("/dev/styleguide/auth/").content.decode()

    assert 'data-theme="system"' in html
    assert '"><b>' not in html


def test_an_unknown_theme_counts_as_the_system_s(client):
    assert _switch(client, "solarized").cookies["theme"].value == ""


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "javascript:alert(1)",
        "\thttps://evil.example",
    ],
)
def test_the_switch_never_leads_to_another_site(client, target):
    assert _switch(client, "dark", target)["Location"] == "/"


def test_the_cookie_is_out_of_reach_of_scripts(client):
    cookie = _switch(client, "dark").cookies["theme"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_the_switch_takes_only_posts(client):
    assert client.get(reverse("ui:theme")).status_code == 405


def test_the_switch_refuses_a_form_from_elsewhere():
    client = Client(enforce_csrf_checks=True)

    assert _switch(client, "dark").status_code == 403

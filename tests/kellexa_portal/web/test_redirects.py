"""``next`` leads nowhere but to a path of this site."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from kellexa_portal.web.redirects import safe_next


@pytest.mark.parametrize("target", ["/accounts/", "/accounts/keys/?state=active", "/a%20b/"])
def test_a_path_of_this_site_is_followed(target: str) -> None:
    assert safe_next(RequestFactory().get("/", {"next": target}), "/home/") == target


@pytest.mark.parametrize(
    "target",
    [
        "",
        "//evil.example",
        "/\\evil.example",
        "///evil.example",
        "https://evil.example/",
        "http:evil.example",
        "javascript:alert(1)",
        "\x01//evil.example",
        " //evil.example",
        "accounts/",
        "/" + "a" * 3000,
    ],
)
def test_anything_else_leads_home(target: str) -> None:
    assert safe_next(RequestFactory().post("/", {"next": target}), "/home/") == "/home/"

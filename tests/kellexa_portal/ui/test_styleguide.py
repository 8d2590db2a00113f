"""The styleguide shows every component."""

from __future__ import annotations

from pathlib import Path

import pytest

import kellexa_portal.dev
import kellexa_portal.ui

pytestmark = pytest.mark.django_db

COMPONENTS = sorted((Path(kellexa_portal.ui.__file__).parent / "templates/ui/components").glob("*.html"))
PAGES = sorted((Path(kellexa_portal.dev.__file__).parent / "templates/dev").glob("*.html"))
# How a component is drawn that is not included by its path.
TAGS = {
    "card": "{% card ",
    "status": "{% status ",
    "error_summary": "{% error_summary ",
    "page_links": "{% page_links ",
}
TAGS |= {"danger_zone": "{% danger_zone ", "confirm_dialog": "{% confirm_dialog "}


def test_the_styleguide_is_served(client):
    response = client.get("/dev/styleguide/")

    assert response.status_code == 200
    assert "Styleguide · Kellexa" in response.content.decode()


@pytest.mark.parametrize("frame", ["public", "auth", "customer"])
def test_each_frame_has_one_main_one_heading_and_a_way_to_skip(client, frame):
    html = client.get(f"/dev/styleguide/{frame}/").content.decode()

    assert html.count("<main ") == html.count("<h1>") == 1
    assert 'href="#main"' in html
    assert 'id="main"' in html


def test_the_customer_frame_signs_out_by_a_post_with_a_token(client):
    html = client.get("/dev/styleguide/customer/").content.decode()
    form = html[html.rindex("<form", 0, html.index("Sign out")) : html.index("Sign out")]

    assert 'method="post"' in form
    assert "csrfmiddlewaretoken" in form


def test_an_unknown_frame_is_not_found(client):
    assert client.get("/dev/styleguide/other/").status_code == 404


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda path: path.stem)
def test_each_component_is_shown(component):
    sources = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    included = f"ui/components/{component.name}" in sources

    assert included or TAGS.get(component.stem, "\0") in sources

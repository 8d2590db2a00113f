"""The layouts' links come from the apps; only those that lead somewhere are shown."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from django.urls import path

from kellexa_portal.ui import navigation
from kellexa_portal.ui.navigation import NavItem, OrganizationChoice, OrganizationMenu


def _page(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [
    path("accounts/", _page, name="checkup"),
    path("accounts/keys/", _page, name="keys"),
    path("accounts/password/", _page, name="password"),
    path("accounts/mfa/", _page, name="mfa"),
]

CHECKUP = NavItem("Checkup", "checkup", order=10)
KEYS = NavItem("Keys", "keys", order=30)
FACTORS = NavItem("Factors", "mfa", order=20, also=("password",))

pytestmark = [pytest.mark.urls(__name__)]


def _request(address: str, view_name: str = "") -> HttpRequest:
    request = RequestFactory().get(address)
    request.resolver_match = SimpleNamespace(view_name=view_name)
    return request


def _current(address: str, view_name: str = "") -> list[str]:
    found = navigation.links([KEYS, CHECKUP, FACTORS], _request(address, view_name))
    return [str(link.label) for link in found if link.is_current]


def test_links_stand_in_their_order():
    found = navigation.links([KEYS, CHECKUP, FACTORS], _request("/"))

    assert [link.url for link in found] == ["/accounts/", "/accounts/mfa/", "/accounts/keys/"]


def test_a_link_that_leads_nowhere_is_left_out():
    found = navigation.links([KEYS, NavItem("Webhooks", "webhooks")], _request("/"))

    assert [link.url for link in found] == ["/accounts/keys/"]


def test_a_link_that_is_not_for_this_person_is_left_out():
    hidden = NavItem("Keys", "keys", visible=lambda request: False)

    assert navigation.links([hidden], _request("/")) == []


@pytest.mark.parametrize(
    ("address", "view_name", "current"),
    [
        ("/accounts/", "checkup", ["Checkup"]),
        ("/accounts/keys/", "keys", ["Keys"]),
        ("/accounts/keys/0190/rotate/", "rotate", ["Keys"]),
        ("/accounts/password/", "password", ["Factors"]),
        ("/accounts/somewhere/", "", []),
        ("/", "", []),
    ],
)
def test_a_page_lights_up_the_item_that_it_belongs_to(address, view_name, current):
    assert _current(address, view_name) == current


def test_one_organization_cannot_be_switched():
    menu = OrganizationMenu("Acme", switch_url_name="keys", choices=(OrganizationChoice("a", "Acme"),))

    assert menu.switch_url == ""


@override_settings(ROOT_URLCONF=__name__)
def test_several_organizations_are_switched_by_a_post():
    choices = (OrganizationChoice("a", "Acme"), OrganizationChoice("g", "Globex"))

    assert OrganizationMenu("Acme", switch_url_name="keys", choices=choices).switch_url == "/accounts/keys/"

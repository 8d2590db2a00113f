"""The staff site shows each role what its work needs, and can do nothing that an action would not allow."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.identity.models import StaffAssignment
from kellexa_portal.staff import GROUPS
from tests.factories import accounts
from tests.factories.credentials import api_key
from tests.factories.organizations import founder
from tests.factories.sign_in import PASSWORD, new_person, sign_in

pytestmark = pytest.mark.django_db

LISTS = [f"/admin/{label.lower().replace('.', '/')}/" for _name, labels in GROUPS for label in labels]
SEES_EVERYTHING = {StaffAssignment.Role.ADMINISTRATOR, StaffAssignment.Role.PLATFORM_AUDITOR}


def test_every_registered_list_stands_in_one_group() -> None:
    registered = sorted(model._meta.label for model in admin.site._registry)

    assert sorted(label for _name, labels in GROUPS for label in labels) == registered


@pytest.mark.parametrize("role", list(StaffAssignment.Role))
def test_a_role_opens_the_lists_of_its_work_and_no_other(client: Client, role: str) -> None:
    api_key()
    sign_in(client, accounts.staff(role))

    index = client.get("/admin/").content.decode()
    answers = {path: client.get(path).status_code for path in LISTS}

    opened = {path for path, status in answers.items() if status == 200}
    assert set(answers.values()) <= {200, 403}
    assert all((path in index) is (path in opened) for path in LISTS)
    assert (opened == set(LISTS)) is (role in SEES_EVERYTHING)


@pytest.mark.parametrize("path", LISTS)
def test_not_even_a_superuser_adds_edits_or_deletes(client: Client, path: str) -> None:
    api_key()
    sign_in(client, accounts.staff(is_superuser=True))

    assert client.get(path).status_code == 200
    assert client.get(f"{path}add/").status_code in {403, 404}
    assert client.post(f"{path}1/delete/", {"post": "yes"}).status_code in {302, 403, 404}
    assert client.post(f"{path}1/change/", {}).status_code in {302, 403, 404}


def test_neither_a_flag_nor_a_row_gives_a_right_that_no_role_gives(client: Client) -> None:
    person = accounts.staff(StaffAssignment.Role.ACCESS_REVIEWER, is_superuser=True)
    person.user_permissions.set(Permission.objects.filter(codename="view_event"))
    sign_in(client, person)

    assert client.get("/admin/audit/event/").status_code == 403
    assert client.get("/admin/organizations/organization/").status_code == 200


def test_a_customer_never_sees_the_staff_site(client: Client) -> None:
    sign_in(client, founder().user)

    assert client.get("/admin/").status_code == 404
    assert client.get("/admin/login/?next=/admin/").status_code == 404


def test_staff_who_come_by_the_front_door_arrive_inside(client: Client) -> None:
    asked = client.get("/admin/credentials/apikey/")
    assert asked["Location"] == "/accounts/login/?next=%2Fadmin%2Fcredentials%2Fapikey%2F"
    sign_in(client, accounts.staff())

    assert client.get("/admin/login/?next=/admin/audit/event/")["Location"] == "/admin/audit/event/"
    assert client.get("/admin/login/?next=//evil.example")["Location"] == "/admin/"


@pytest.mark.parametrize("chosen", ["zz", "-1", "1" * 40, "²", ""])
def test_a_button_pressed_for_no_row_is_refused(client: Client, chosen: str) -> None:
    sign_in(client, accounts.staff())

    response = client.post("/admin/credentials/apikey/", {"action": "revoke", "_selected_action": [chosen]})

    assert response.status_code == 404


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", LISTS[0]])
def test_a_password_alone_posted_to_the_staff_site_opens_nothing(client: Client, path: str) -> None:
    person = new_person("sam@staff.example", is_staff=True)

    response = client.post("/admin/login/", {"username": person.email, "password": PASSWORD, "next": path})

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")
    assert client.get(path).status_code == 302


def test_signing_out_of_the_staff_site_ends_the_session(client: Client) -> None:
    session = sign_in(client, accounts.staff())

    client.post("/admin/logout/")

    session.refresh_from_db()
    assert session.ended_at is not None
    assert client.get("/admin/").status_code == 302


def test_staff_change_their_password_on_the_page_of_everyone(client: Client) -> None:
    sign_in(client, accounts.staff())

    assert client.get("/admin/password_change/")["Location"] == "/accounts/password/"
    assert client.get("/accounts/password/").status_code == 200

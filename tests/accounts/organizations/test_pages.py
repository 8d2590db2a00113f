"""The organization's pages, through HTTP."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.credentials.actions import revoke_key
from accounts.identity.signals import signed_up
from accounts.organizations.models import Membership
from kellexa_portal.core.actor import Actor
from tests.factories import accounts, credentials, organizations, sign_in

pytestmark = pytest.mark.django_db

HOME = "/accounts/organization/"
Role = Membership.Role


def _as(client: Client, place: Membership) -> Membership:
    sign_in.sign_in(client, place.user)
    return place


def test_a_confirmed_sign_up_founds_the_organization() -> None:
    person = accounts.user()

    with transaction.atomic():
        signed_up.send(sender=None, user=person, organization_name="Acme")

    place = Membership.objects.get(user=person)
    assert (place.organization.name, place.role) == ("Acme", Role.OWNER)


def test_the_first_page_tells_the_facts(client: Client) -> None:
    place = _as(client, organizations.founder("Acme"))
    organizations.member(place.organization)

    page = client.get(HOME).content.decode()

    assert "Acme" in page
    assert "Owner" in page
    assert str(place.organization.public_id) in page
    assert client.get(HOME)["Cache-Control"] == "no-store, private"


@pytest.mark.parametrize(
    ("path", "roles"),
    [
        ("", set(Role)),
        ("members/", {Role.OWNER, Role.ADMIN, Role.SECURITY, Role.AUDITOR}),
        ("policy/", set(Role)),
        ("audit/", {Role.OWNER, Role.ADMIN, Role.SECURITY, Role.AUDITOR}),
    ],
)
def test_each_page_is_for_these_roles(client: Client, path: str, roles: set[str]) -> None:
    people = organizations.everyone(organizations.organization())

    answers = {
        role: client.get(HOME + path).status_code for role, place in people.items() if _as(client, place)
    }

    assert answers == {role: 200 if role in roles else 403 for role in Role}


@pytest.mark.parametrize("path", ["", "members/", "policy/", "audit/"])
def test_strangers_sign_in_first_and_staff_find_nothing(client: Client, path: str) -> None:
    anonymous = client.get(HOME + path)
    sign_in.sign_in(client, accounts.staff())
    staff = client.get(HOME + path)
    sign_in.sign_in(client, accounts.user())
    homeless = client.get(HOME + path)

    assert (anonymous.status_code, staff.status_code, homeless.status_code) == (302, 404, 404)


def test_no_page_shows_another_organization(client: Client) -> None:
    other = organizations.founder("Globex")
    organizations.member(other.organization, person=accounts.user(name="Greta Globex"))
    credentials.api_key(other)
    _as(client, organizations.founder("Acme"))

    for path in ("", "members/", "policy/", "audit/"):
        page = client.get(HOME + path).content.decode()
        assert "Globex" not in page
        assert other.user.email not in page
        assert str(other.organization.public_id) not in page


def test_the_policy_says_who_may_change_it(client: Client) -> None:
    _as(client, organizations.member(organizations.organization()))

    page = client.get(HOME + "policy/").content.decode()

    assert "Owner, Admin" in page
    assert "may read this policy" in page


def test_the_audit_log_names_people_and_things(client: Client) -> None:
    place = _as(client, organizations.founder(owner=accounts.user(name="Robin Owner")))
    key = credentials.api_key(place)

    page = client.get(HOME + "audit/").content.decode()

    for text in ("An API key was created.", "key.created", "Robin Owner", key.key_id):
        assert text in page


def test_the_audit_log_names_people_as_they_were_called_and_staff_as_staff(client: Client) -> None:
    place = _as(client, organizations.founder())
    colleague = organizations.member(place.organization, Membership.Role.ADMIN)
    key = credentials.api_key(colleague)
    helper = accounts.staff("administrator", name="Casey Clerk")
    revoke_key(actor=Actor.of(helper), key=key, reason="leaked")
    name = colleague.user.name
    colleague.delete()

    page = client.get(HOME + "audit/").content.decode()

    assert name in page
    assert "Kellexa staff" in page
    assert "Casey Clerk" not in page
    assert str(helper.public_id) not in page


def test_the_audit_log_pages_by_keyset_and_ignores_a_broken_cursor(client: Client) -> None:
    place = _as(client, organizations.founder())
    for _ in range(52):
        credentials.api_key(place)

    first = client.get(HOME + "audit/")
    cursor = first.context["page"].next_cursor
    second = client.get(f"{HOME}audit/?cursor={cursor}")
    broken = client.get(f"{HOME}audit/?cursor=%27;--")

    assert len(first.context["page"].items) == 50
    assert len(second.context["page"].items) == 4
    assert len(broken.context["page"].items) == 50


@pytest.mark.parametrize("path", ["members/", "audit/"])
def test_a_list_costs_the_same_whatever_its_length(client: Client, path: str) -> None:
    place = _as(client, organizations.founder())

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(HOME + path)
        return len(queries)

    organizations.member(place.organization)
    cost()
    few = cost()
    for _ in range(20):
        organizations.member(place.organization)

    assert cost() == few


# --- Several organizations ----------------------------------------------------------------------


def test_a_person_switches_between_their_organizations(client: Client) -> None:
    first = _as(client, organizations.founder("Acme"))
    second = organizations.member(organizations.organization("Globex"), person=first.user)

    before = client.get(HOME).context["organization"]
    answer = client.post(HOME + "switch/", {"organization": str(second.organization.public_id)})
    after = client.get(HOME).context["organization"]

    assert answer.status_code == 302
    assert (before.name, after.name) == ("Acme", "Globex")


@pytest.mark.parametrize("wanted", ["foreign", "", "x", "00000000-0000-0000-0000-000000000000"])
def test_nobody_switches_to_what_is_not_theirs(client: Client, wanted: str) -> None:
    _as(client, organizations.founder("Acme"))
    foreign = str(organizations.organization().public_id)

    answer = client.post(HOME + "switch/", {"organization": foreign if wanted == "foreign" else wanted})

    assert answer.status_code == 404
    assert client.get(HOME).context["organization"].name == "Acme"


def test_switching_is_a_post_and_leads_to_no_other_site(client: Client) -> None:
    place = _as(client, organizations.founder())
    wanted = {"organization": str(place.organization.public_id), "next": "//evil.example/"}

    assert client.get(HOME + "switch/").status_code == 405
    assert client.post(HOME + "switch/", wanted)["Location"] == HOME


def test_a_place_that_is_gone_is_not_acted_in(client: Client) -> None:
    first = _as(client, organizations.founder("Acme"))
    second = organizations.member(organizations.organization("Globex"), person=first.user)
    client.post(HOME + "switch/", {"organization": str(second.organization.public_id)})

    second.delete()

    assert client.get(HOME).context["organization"].name == "Acme"


def test_keys_are_those_of_the_organization_acted_in(client: Client) -> None:
    first = _as(client, organizations.founder("Acme"))
    second = organizations.member(organizations.organization("Globex"), Role.OWNER, person=first.user)
    key = credentials.api_key(first)

    client.post(HOME + "switch/", {"organization": str(second.organization.public_id)})

    assert client.get(f"/accounts/keys/{key.key_id}/").status_code == 404

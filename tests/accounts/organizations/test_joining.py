"""Joining by a mailed link: with an account, without one, and not at all."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.identity.models import SignUp, User
from accounts.organizations import actions
from accounts.organizations.models import Membership, Organization
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from tests.accounts.identity.wishes import sign_up
from tests.factories import accounts, sign_in
from tests.factories.audit_support import recorded
from tests.factories.organizations import founder, invited, member

pytestmark = pytest.mark.django_db

Role = Membership.Role
NEWCOMER = {"name": "Ada Newcomer", "password": accounts.PASSWORD, "time_zone": "Europe/Berlin"}


@pytest.fixture
def owner() -> Membership:
    return founder("Acme")


def _stream(place: Membership) -> Stream:
    return Stream.organization(place.organization.public_id)


def test_a_person_with_an_account_joins_by_a_button_and_acts_there(client: Client, owner: Membership) -> None:
    person = founder("Globex", owner=accounts.user(email="ada@new.example")).user
    _invitation, path = invited(owner, role=Role.SECURITY)
    sign_in.sign_in(client, person)

    shown = client.get(path)
    assert shown.status_code == 200
    assert not Membership.objects.filter(user=person, organization=owner.organization).exists()
    answer = client.post(path)

    assert answer["Location"] == "/accounts/organization/"
    assert client.get("/accounts/organization/").context["organization"] == owner.organization
    assert Membership.objects.get(user=person, organization=owner.organization).role == "security"
    assert recorded(_stream(owner))[-2:] == ["org.member.added", "org.invite.accepted"]


def test_a_signed_out_person_with_an_account_signs_in_first_and_comes_back(
    client: Client, owner: Membership
) -> None:
    sign_in.new_person("ada@new.example")
    _invitation, path = invited(owner)

    page = client.get(path).content.decode()
    posted = client.post(path, NEWCOMER)

    assert f"/accounts/login/?next={path}" in page
    assert posted.status_code == 409
    assert User.objects.with_email("ada@new.example").get().name == "Ada"
    assert not Membership.objects.filter(user__email="ada@new.example").exists()


def test_a_newcomer_gets_an_account_and_the_place_but_no_organization_and_no_session(
    client: Client, owner: Membership
) -> None:
    _invitation, path = invited(owner)
    organizations = Organization.objects.count()

    answer = client.post(path, NEWCOMER)

    person = User.objects.with_email("ada@new.example").get()
    assert answer["Location"] == "/accounts/login/verify/"
    assert client.get(answer["Location"])["Location"] == "/accounts/login/enrol/"
    assert client.get("/accounts/organization/").status_code == 302
    assert (person.name, person.time_zone) == ("Ada Newcomer", "Europe/Berlin")
    assert person.email_confirmed_at is not None
    assert Membership.objects.get(user=person).organization == owner.organization
    assert Organization.objects.count() == organizations
    assert recorded(Stream.user(person.public_id))[0] == "account.signup.complete"


def test_a_newcomers_other_sign_ups_die(client: Client, owner: Membership) -> None:
    """A stranger who signed up with the address, and a password of theirs, gets nothing by it."""
    sign_up(client, email="ada@new.example")
    _invitation, path = invited(owner)

    Client().post(path, NEWCOMER)

    waiting = SignUp.objects.get(email="ada@new.example")
    assert (waiting.password, waiting.spent_at is None) == ("", False)


@pytest.mark.parametrize(
    ("field", "value"),
    [("password", "short"), ("password", "Acme acme acme acme"), ("name", ""), ("name", "\u202e")],
)
def test_a_newcomers_form_keeps_the_rules_of_the_sign_up(
    client: Client, owner: Membership, field: str, value: str
) -> None:
    _invitation, path = invited(owner)

    answer = client.post(path, NEWCOMER | {field: value})

    assert answer.status_code == 422
    assert answer.context["form"].errors[field]
    assert not User.objects.with_email("ada@new.example").exists()
    assert client.get(path).status_code == 200


def test_a_newcomers_password_is_spent_from_the_networks_budget(owner: Membership) -> None:
    answers = []
    for number in range(22):
        _invitation, path = invited(owner, f"person{number}@new.example")
        answers.append(Client().post(path, NEWCOMER).status_code)

    assert answers == [302] * 20 + [429] * 2


def test_a_member_who_joined_otherwise_meanwhile_is_told(client: Client, owner: Membership) -> None:
    person = accounts.user(email="ada@new.example")
    _invitation, path = invited(owner, role=Role.ADMIN)
    member(owner.organization, person=person)
    sign_in.sign_in(client, person)

    assert client.post(path).status_code == 409
    assert Membership.objects.get(user=person).role == "member"


def test_staff_do_not_join(client: Client, owner: Membership) -> None:
    person = accounts.staff(email="ada@new.example")
    _invitation, path = invited(owner)
    sign_in.sign_in(client, person)

    assert client.post(path).status_code == 409
    assert not Membership.objects.filter(user=person).exists()


def test_a_removed_person_does_not_come_back_by_an_older_link(client: Client, owner: Membership) -> None:
    person = accounts.user(email="ada@new.example")
    _invitation, path = invited(owner)
    place = member(owner.organization, person=person)
    actions.remove_member(actor=Actor.of(owner.user), by=owner, member=place)
    sign_in.sign_in(client, person)

    assert client.post(path).status_code == 404

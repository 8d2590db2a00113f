"""Who may see, rotate and revoke which key: the list and the question agree for every role."""

from __future__ import annotations

import pytest

from accounts.credentials import access, actions
from accounts.credentials.models import ApiKey, ServiceKeyUserObjectPermission
from accounts.organizations.models import Membership
from kellexa_portal.core.actor import Actor
from tests.factories import credentials, organizations

pytestmark = pytest.mark.django_db

Role = Membership.Role


@pytest.fixture
def people() -> dict[str, Membership]:
    return organizations.everyone(organizations.organization())


@pytest.fixture
def keys(people: dict[str, Membership]) -> list[ApiKey]:
    """A personal key of everyone who may have one, a service key, the same of a stranger's organization."""
    stranger = organizations.founder()
    makers = [place for role, place in people.items() if role != Role.AUDITOR]
    mine = [credentials.personal(place).key for place in makers]
    service = credentials.api_key(people[Role.SECURITY])
    return [*mine, service, credentials.api_key(stranger), credentials.personal(stranger).key]


@pytest.mark.parametrize("role", list(Role))
def test_the_list_and_the_question_agree(
    people: dict[str, Membership], keys: list[ApiKey], role: str
) -> None:
    place = people[role]

    listed = set(access.visible_to(place).values_list("pk", flat=True))

    assert listed == {key.pk for key in keys if access.may_view(place, key)}
    assert not [key for key in keys if key.pk in listed and key.organization_id != place.organization_id]


@pytest.mark.parametrize(
    ("role", "seen"),
    [(Role.OWNER, 5), (Role.ADMIN, 5), (Role.SECURITY, 5), (Role.MEMBER, 1), (Role.AUDITOR, 5)],
)
def test_a_member_sees_their_own_keys_and_the_others_all(
    people: dict[str, Membership], keys: list[ApiKey], role: str, seen: int
) -> None:
    assert access.visible_to(people[role]).count() == seen


def test_only_the_owner_rotates_a_personal_key(people: dict[str, Membership]) -> None:
    key = credentials.personal(people[Role.MEMBER]).key

    rotating = {role for role, place in people.items() if access.may_rotate(place, key)}
    revoking = {role for role, place in people.items() if access.may_revoke(place, key)}

    assert rotating == {Role.MEMBER}
    assert revoking == {Role.OWNER, Role.ADMIN, Role.SECURITY, Role.MEMBER}


def test_service_keys_are_managed_by_owner_admin_and_security(people: dict[str, Membership]) -> None:
    key = credentials.api_key(people[Role.OWNER])
    managing = {Role.OWNER, Role.ADMIN, Role.SECURITY}

    assert {role for role, place in people.items() if access.may_rotate(place, key)} == managing
    assert {role for role, place in people.items() if access.may_revoke(place, key)} == managing
    assert {role for role, place in people.items() if access.may_create(place, "service")} == managing
    assert {role for role, place in people.items() if access.may_create(place, "personal")} == managing | {
        Role.MEMBER
    }


def test_a_contact_sees_and_rotates_the_one_service_key_and_does_not_revoke_it(
    people: dict[str, Membership],
) -> None:
    owner, contact = people[Role.OWNER], people[Role.MEMBER]
    key, other = (credentials.api_key(owner, contacts=people_) for people_ in ([contact.user], []))

    assert list(access.visible_to(contact)) == [key]
    assert access.may_view(contact, key)
    assert access.may_rotate(contact, key)
    assert not access.may_revoke(contact, key)
    assert not access.may_view(contact, other)
    assert not access.may_rotate(contact, other)
    assert ServiceKeyUserObjectPermission.objects.filter(content_object=key).count() == 2


def test_a_contact_who_is_taken_off_sees_nothing_any_more(people: dict[str, Membership]) -> None:
    owner, contact = people[Role.OWNER], people[Role.MEMBER]
    key = credentials.api_key(owner, contacts=[contact.user])

    actions.set_contacts(actor=Actor.of(owner.user), by=owner, key=key, people=[])

    assert not access.visible_to(contact).exists()
    assert not access.may_rotate(contact, key)


def test_an_exception_in_another_organization_counts_for_nothing(people: dict[str, Membership]) -> None:
    owner, contact = people[Role.OWNER], people[Role.MEMBER]
    key = credentials.api_key(owner, contacts=[contact.user])
    elsewhere = organizations.member(organizations.organization(), person=contact.user)

    assert not access.visible_to(elsewhere).exists()
    assert not access.may_view(elsewhere, key)
    assert not access.may_rotate(elsewhere, key)

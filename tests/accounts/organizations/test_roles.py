"""What each role may do, and who may know of which organization."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts.organizations import access, actions, rules
from accounts.organizations.access import Permission
from accounts.organizations.models import Membership, Organization
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from tests.factories import accounts, organizations
from tests.factories.audit_support import recorded

Role = Membership.Role


@pytest.mark.parametrize(
    ("permission", "roles"),
    [
        (Permission.AUDIT_VIEW, {Role.OWNER, Role.ADMIN, Role.SECURITY, Role.AUDITOR}),
        (Permission.AUDIT_EXPORT, {Role.OWNER, Role.ADMIN, Role.SECURITY, Role.AUDITOR}),
        (Permission.KEYS_VIEW, set(Role)),
        (Permission.KEYS_VIEW_ALL, {Role.OWNER, Role.ADMIN, Role.SECURITY, Role.AUDITOR}),
        (Permission.KEYS_CREATE_PERSONAL, {Role.OWNER, Role.ADMIN, Role.SECURITY, Role.MEMBER}),
        (Permission.KEYS_MANAGE, {Role.OWNER, Role.ADMIN, Role.SECURITY}),
        (Permission.MEMBERS_VIEW, {Role.OWNER, Role.ADMIN, Role.SECURITY, Role.AUDITOR}),
        (Permission.MEMBERS_MANAGE, {Role.OWNER, Role.ADMIN}),
        (Permission.ORGANIZATION_VIEW, set(Role)),
        (Permission.ORGANIZATION_CHANGE, {Role.OWNER, Role.ADMIN}),
        (Permission.POLICY_VIEW, set(Role)),
        (Permission.POLICY_CHANGE, {Role.OWNER, Role.ADMIN}),
    ],
)
def test_each_permission_belongs_to_these_roles_and_no_other(permission: Permission, roles: set[str]) -> None:
    assert set(access.roles_with(permission)) == roles


def test_every_role_and_every_permission_is_decided() -> None:
    assert set(access.ROLE_PERMISSIONS) == set(Role)
    assert frozenset().union(*access.ROLE_PERMISSIONS.values()) == set(Permission)


@pytest.mark.parametrize("role", ["", "root", "OWNER"])
def test_a_role_that_the_code_does_not_know_may_nothing(role: str) -> None:
    assert access.permissions_of(role) == frozenset()


def test_no_place_includes_nothing() -> None:
    assert not access.allows(None, Permission.ORGANIZATION_VIEW)
    with pytest.raises(access.Forbidden):
        access.require(None, Permission.ORGANIZATION_VIEW)


@pytest.mark.django_db
def test_the_list_and_the_question_agree_for_everyone() -> None:
    mine, theirs = organizations.organization(), organizations.organization()
    inactive = organizations.member(mine)
    inactive.user.is_active = False
    inactive.user.save()
    people = [place.user for place in organizations.everyone(mine).values()]
    people += [inactive.user, accounts.user(), accounts.staff(is_superuser=True)]

    for person in people:
        listed = set(access.visible_to(person))
        assert listed == {found for found in (mine, theirs) if access.may_view(person, found)}
        assert theirs not in listed


@pytest.mark.django_db
def test_a_founder_becomes_the_owner_and_both_stand_on_record() -> None:
    person = accounts.user()

    place = actions.create_organization(actor=Actor.of(person), owner=person, name="  Acme   Ltd ")

    assert (place.role, place.organization.name, place.organization.kind) == ("owner", "Acme Ltd", "customer")
    assert recorded(Stream.organization(place.organization.public_id)) == ["org.created", "org.member.added"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", " ", "x" * 121, "Acme\u202e", "A\x00B"])
def test_an_empty_overlong_or_disguised_name_is_refused(name: str) -> None:
    person = accounts.user()

    with pytest.raises(actions.InvalidOrganizationName):
        actions.create_organization(actor=Actor.of(person), owner=person, name=name)

    assert rules.clean_name(name) is None
    assert not Organization.objects.exists()


@pytest.mark.django_db
def test_staff_have_no_place_in_any_organization() -> None:
    staff = accounts.staff()
    place = organizations.founder()

    with pytest.raises(actions.StaffHaveNoMembership):
        actions.create_organization(actor=Actor.of(staff), owner=staff, name="Staff's own")
    with pytest.raises(actions.StaffHaveNoMembership):
        actions.add_member(
            actor=Actor.of(place.user), by=place, organization=place.organization, user=staff, role="member"
        )

    assert not Membership.objects.filter(user=staff).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.SECURITY, Role.MEMBER, Role.AUDITOR])
def test_only_owners_and_admins_add_people(role: str) -> None:
    place = organizations.member(organizations.organization(), role)

    with pytest.raises(access.Forbidden):
        actions.add_member(
            actor=Actor.of(place.user),
            by=place,
            organization=place.organization,
            user=accounts.user(),
            role="owner",
        )

    assert recorded(Stream.organization(place.organization.public_id))[-1] == "org.access.denied"


@pytest.mark.django_db
def test_a_role_that_does_not_exist_is_refused() -> None:
    with pytest.raises(actions.UnknownRole):
        organizations.member(organizations.organization(), "root")


@pytest.mark.django_db
def test_an_owner_adds_nobody_to_another_organization() -> None:
    place, other = organizations.founder(), organizations.organization()

    with pytest.raises(actions.NoSuchOrganization):
        actions.add_member(
            actor=Actor.of(place.user), by=place, organization=other, user=accounts.user(), role="owner"
        )


@pytest.mark.django_db
def test_a_person_has_one_place_in_an_organization() -> None:
    place = organizations.founder()

    with pytest.raises(actions.AlreadyMember):
        organizations.member(place.organization, person=place.user)
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(organization=place.organization, user=place.user, role="member")


@pytest.mark.django_db
def test_the_database_knows_no_other_role() -> None:
    place = organizations.founder()

    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.filter(pk=place.pk).update(role="root")

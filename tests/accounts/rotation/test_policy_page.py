"""The rotation policy is read by everyone in the organization and changed by owners and admins."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.organizations.models import Membership
from accounts.rotation.models import RotationPolicy
from kellexa_portal.audit import Stream
from tests.factories.accounts import user
from tests.factories.audit_support import recorded
from tests.factories.organizations import everyone, founder, member
from tests.factories.sign_in import sign_in

pytestmark = pytest.mark.django_db

PAGE = "/accounts/organization/policy/rotation/"


def test_an_owner_changes_the_policy_on_record(client: Client) -> None:
    owner = founder()
    sign_in(client, owner.user)

    response = client.post(PAGE, {"max_age_days": "60", "stages": ["14"]})

    assert response.status_code == 302
    policy = RotationPolicy.objects.get(organization=owner.organization)
    assert (policy.max_age_days, policy.stages) == (60, [14, 3, 1, 0])
    assert "org.policy.rotation" in recorded(Stream.organization(owner.organization.public_id))


@pytest.mark.parametrize(
    "form", [{"max_age_days": "61"}, {"max_age_days": ""}, {"max_age_days": "30", "stages": ["5"]}]
)
def test_what_is_not_offered_is_refused_with_what_was_typed(client: Client, form: dict[str, object]) -> None:
    owner = founder()
    sign_in(client, owner.user)

    response = client.post(PAGE, form)

    assert response.status_code == 422
    assert not RotationPolicy.objects.exists()


def test_each_role_reads_and_only_owners_and_admins_write(client: Client) -> None:
    places = everyone(founder().organization)

    answers = {}
    for role, place in places.items():
        sign_in(client, place.user)
        answers[role] = (client.get(PAGE).status_code, client.post(PAGE, {"max_age_days": "30"}).status_code)

    writers = {Membership.Role.OWNER, Membership.Role.ADMIN}
    assert answers == {role: (200, 302 if role in writers else 403) for role in places}


@pytest.mark.parametrize("typed", [{"max_age_days": "30"}, {"max_age_days": "nonsense"}])
def test_an_auditors_attempt_is_on_record(client: Client, typed: dict[str, str]) -> None:
    auditor = member(founder().organization, Membership.Role.AUDITOR)
    sign_in(client, auditor.user)

    response = client.post(PAGE, typed)

    assert response.status_code == 403
    assert recorded(Stream.organization(auditor.organization.public_id))[-1] == "org.access.denied"


def test_one_organizations_policy_is_not_anothers(client: Client) -> None:
    owner, other = founder(), founder()
    sign_in(client, owner.user)

    client.post(PAGE, {"max_age_days": "30"})

    assert not RotationPolicy.objects.filter(organization=other.organization).exists()


def test_a_person_without_an_organization_finds_nothing(client: Client) -> None:
    sign_in(client, user())

    assert client.get(PAGE).status_code == 404
    assert client.post(PAGE, {"max_age_days": "30"}).status_code == 404

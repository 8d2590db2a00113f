"""Attacks by what is posted along with a form: words that would be privileges if anything believed them."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.test import Client

from accounts.credentials.models import ApiKey
from accounts.identity.models import User
from accounts.organizations.models import Membership
from tests.accounts.attacks.stranger import (
    LOGIN,
    NEW_PASSWORD,
    PASSWORD_PAGE,
    RESET,
    SIGNUP,
    VERIFY,
    WRONG,
    has_password,
    is_signed_in,
)
from tests.accounts.credentials.pages import CREATE, typed
from tests.accounts.identity.mailbox import kinds_to, path_to
from tests.accounts.identity.wishes import wish
from tests.factories import credentials, organizations
from tests.factories.sign_in import PASSWORD, enrolled, new_person, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

EMAIL = "mike.fisher@kelvin.example"
EVIL = "evil@evil.example"


@pytest.fixture
def mike() -> User:
    return new_person(EMAIL)


PRIVILEGES = {
    "is_staff": "on",
    "is_superuser": "on",
    "is_active": "on",
    "email_verified": "true",
    "email_confirmed_at": "2026-01-01",
    "security_epoch": "0",
    "role": "owner",
    "user": "1",
    "user_id": "1",
    "owner": "1",
    "public_id": "00000000-0000-0000-0000-000000000001",
    "password_changed_at": "2020-01-01",
    "needs_new_password": "false",
}


def _facts(person: User) -> tuple[object, ...]:
    person.refresh_from_db()
    return (person.email, person.is_staff, person.is_superuser, person.public_id, person.pk)


def test_privileges_posted_with_a_sign_up_are_ignored(client: Client) -> None:
    """Case 29 (Zitadel CVE-2026-27946): an ordinary account of its own organization, to be confirmed."""
    foreign = organizations.organization("Globex")
    along = PRIVILEGES | {"organization": str(foreign.public_id), "organization_id": foreign.pk}

    client.post(SIGNUP, wish(email=EMAIL) | along)
    assert not User.objects.filter(email=EMAIL).exists()
    client.post(path_to(EMAIL), along | {"email": EVIL})

    person = User.objects.get(email=EMAIL)
    place = Membership.objects.select_related("organization").get(user=person)
    assert (person.is_staff, person.is_superuser, person.security_epoch) == (False, False, 1)
    assert place.organization.name == wish()["organization_name"]
    assert not Membership.objects.filter(organization=foreign, user=person).exists()


def test_privileges_posted_with_a_reset_are_ignored(client: Client, mike: User) -> None:
    """Case 29 (Zitadel CVE-2026-27946)."""
    before = _facts(mike)

    client.post(RESET, {"email": EMAIL})
    client.post(path_to(EMAIL), {"new_password": NEW_PASSWORD, "email": EVIL} | PRIVILEGES)

    assert _facts(mike) == before
    assert has_password(mike, NEW_PASSWORD)


def test_privileges_posted_with_a_change_of_password_are_ignored(client: Client, mike: User) -> None:
    """Case 29 (Zitadel CVE-2026-27946): nor does it change another's password."""
    other = new_person("other@customer.example")
    sign_in(client, mike)
    before = _facts(mike)
    form = {"password": PASSWORD, "new_password": NEW_PASSWORD, "email": EVIL} | PRIVILEGES

    client.post(f"{PASSWORD_PAGE}?{urlencode({'user': other.pk})}", form | {"user": other.pk})

    assert _facts(mike) == before
    assert has_password(other)
    assert has_password(mike, NEW_PASSWORD)


def test_privileges_posted_with_a_sign_in_are_ignored(client: Client, mike: User) -> None:
    """Case 29 (Zitadel CVE-2026-27946): no word of the request counts as a factor."""
    enrolled(mike)
    before = _facts(mike)
    along = {"verified": "true", "otp_device_id": "1", "stage": "enrol", "mfa": "done"} | PRIVILEGES

    answer = client.post(LOGIN, {"email": EMAIL, "password": PASSWORD} | along)
    client.post(VERIFY, {"code": WRONG[:6]} | along)

    assert answer["Location"] == VERIFY
    assert not is_signed_in(client)
    assert _facts(mike) == before


def test_privileges_posted_with_a_key_are_ignored(client: Client, mike: User) -> None:
    """Case 29 (Zitadel CVE-2026-27946): a key is its maker's own organization's, with chosen scopes alone."""
    place, foreign = organizations.founder(owner=mike), organizations.founder("Globex")
    theirs = credentials.api_key(foreign)
    sign_in(client, mike)
    along = {
        "organization": str(foreign.organization.public_id),
        "organization_id": foreign.organization_id,
        "owner": str(foreign.user.public_id),
        "owner_id": foreign.user_id,
        "key_id": theirs.key_id,
        "scope_names": "keys:verify",
        "family": theirs.pk,
        "is_live": "true",
    }

    client.post(CREATE, typed(**along))

    key = ApiKey.objects.exclude(pk=theirs.pk).get()
    assert (key.organization_id, key.owner_id) == (place.organization_id, mike.pk)
    assert key.scopes == ["workflows:run"]
    assert kinds_to(foreign.user.email).count("credentials.key_created") == 1

"""A quarantine: what it closes, what it leaves open, and when it ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from accounts.credentials import actions as keys
from accounts.credentials.models import ApiKey
from accounts.identity import quarantine
from accounts.identity.access import NotPermittedError
from accounts.identity.models import User
from accounts.identity.quarantine import QuarantinedError
from accounts.organizations.models import Membership
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from tests.accounts.anomalies.past import BIT, DAY, HOUR, NOON
from tests.factories import credentials, organizations, sign_in
from tests.factories.audit_support import recorded

pytestmark = pytest.mark.django_db

PORTAL = Actor.system("tests")


@pytest.fixture
def place(clock: time_machine.Traveller) -> Membership:
    return organizations.founder()


def enter(user: User, hours: int = 24) -> None:
    quarantine.begin(user, actor=PORTAL, hours=hours, reason="test")


def test_no_key_is_made_or_rotated_in_quarantine(place: Membership) -> None:
    old = credentials.issued(place).key
    enter(place.user)

    with pytest.raises(QuarantinedError):
        credentials.issued(place)
    with pytest.raises(QuarantinedError):
        keys.rotate_key(actor=Actor.of(place.user), by=place, key=old)

    assert ApiKey.objects.count() == 1
    assert recorded(Stream.user(place.user.public_id))[-2:] == ["account.quarantine.deny"] * 2


def test_the_page_says_until_when(client: Client, place: Membership) -> None:
    User.objects.filter(pk=place.user.pk).update(time_zone="Europe/Berlin")
    sign_in.sign_in(client, place.user)
    enter(place.user)

    answer = client.get("/accounts/keys/create/")

    assert answer.status_code == 403
    assert "24 November 2026, 13:00 CET" in answer.content.decode()


def test_a_key_can_still_be_revoked(place: Membership) -> None:
    key = credentials.issued(place).key
    enter(place.user)

    keys.revoke_key(actor=Actor.of(place.user), by=place, key=key, reason="leaked")

    key.refresh_from_db()
    assert key.revoked_at is not None


def test_the_quarantine_of_another_person_closes_nothing(place: Membership) -> None:
    enter(organizations.member(place.organization).user)

    assert credentials.issued(place).key.pk


@pytest.mark.parametrize(
    ("after", "is_closed"), [(DAY - BIT, True), (DAY, False)], ids=["just-before", "at-its-end"]
)
def test_it_ends_by_itself(
    place: Membership, clock: time_machine.Traveller, after: timedelta, is_closed: bool
) -> None:
    enter(place.user)
    clock.shift(after)

    assert quarantine.is_quarantined(place.user, NOON + after) is is_closed
    if is_closed:
        with pytest.raises(QuarantinedError):
            quarantine.require_free(place.user)
    else:
        quarantine.require_free(place.user)


def test_a_second_one_lengthens_it_and_never_shortens(
    place: Membership, clock: time_machine.Traveller
) -> None:
    enter(place.user)
    clock.shift(HOUR)
    enter(place.user, hours=1)
    assert place.user.quarantined_until == NOON + DAY
    enter(place.user)

    assert User.objects.get(pk=place.user.pk).quarantined_until == NOON + DAY + HOUR


def test_a_request_that_loaded_the_person_before_is_refused_too(place: Membership) -> None:
    enter(User.objects.get(pk=place.user.pk))

    assert place.user.quarantined_until is None
    with pytest.raises(QuarantinedError):
        quarantine.require_free(place.user)


def test_only_the_portal_begins_one(place: Membership) -> None:
    with pytest.raises(NotPermittedError):
        quarantine.begin(place.user, actor=Actor.of(place.user), reason="test")

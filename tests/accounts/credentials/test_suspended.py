"""Keys that are stopped for the time being: refused at once, and brought back only as they were."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.credentials import actions, rules
from accounts.credentials.actions import IssuedKey, errors
from accounts.credentials.models import ApiKey
from accounts.identity.access import NotPermittedError
from accounts.identity.models import User
from accounts.organizations.models import Membership
from kellexa_portal.audit import Stream
from kellexa_portal.audit.queries import events_of
from kellexa_portal.core.actor import Actor
from tests.accounts.credentials.conftest import INACTIVE, Ask
from tests.accounts.identity.mailbox import kinds_to
from tests.factories import credentials, organizations
from tests.factories.audit_support import recorded
from tests.factories.sign_in import sign_in

pytestmark = pytest.mark.django_db

PORTAL = Actor.system("tests")
LOCKDOWN = ApiKey.SuspendCause.LOCKDOWN


def _suspend(owner: User) -> list[ApiKey]:
    return actions.suspend_keys_of(actor=PORTAL, owner=owner, cause=LOCKDOWN)


def _resume(owner: User, *keys: ApiKey) -> list[ApiKey]:
    key_ids = [key.key_id for key in keys]
    return actions.resume_keys(actor=Actor.of(owner), owner=owner, key_ids=key_ids)


@pytest.fixture
def issued() -> IssuedKey:
    return credentials.issued()


def test_a_suspended_key_is_refused_by_the_very_next_question(ask: Ask, issued: IssuedKey) -> None:
    before = ask(issued.token).json()

    _suspend(issued.key.owner)

    assert before["active"] is True
    assert ask(issued.token).content == INACTIVE


def test_the_owners_log_learns_why_a_genuine_key_was_refused(ask: Ask, issued: IssuedKey) -> None:
    _suspend(issued.key.owner)

    ask(issued.token)

    events = events_of(Stream.organization(issued.key.organization.public_id))
    assert [event.reason for event in events if event.name == "key.verify.deny"] == ["suspended"]


def test_a_key_that_was_brought_back_works_again(ask: Ask, issued: IssuedKey) -> None:
    _suspend(issued.key.owner)

    resumed = _resume(issued.key.owner, issued.key)

    assert [key.pk for key in resumed] == [issued.key.pk]
    assert ask(issued.token).json()["active"] is True
    assert recorded(Stream.organization(issued.key.organization.public_id))[-2:] == [
        "key.suspended",
        "key.resumed",
    ]


def test_keys_of_other_owners_go_on_working(ask: Ask, issued: IssuedKey) -> None:
    colleague = organizations.member(issued.key.organization, Membership.Role.ADMIN)
    theirs, elsewhere = credentials.issued(colleague), credentials.issued()

    _suspend(issued.key.owner)

    assert ask(theirs.token).json()["active"] is True
    assert ask(elsewhere.token).json()["active"] is True


def test_what_expired_meanwhile_does_not_come_back(ask: Ask, issued: IssuedKey) -> None:
    _suspend(issued.key.owner)
    credentials.expired(ApiKey.objects.get(pk=issued.key.pk))

    resumed = _resume(issued.key.owner, issued.key)

    assert resumed == []
    assert ApiKey.objects.get(pk=issued.key.pk).suspended_at is not None
    assert ask(issued.token).content == INACTIVE


def test_what_was_revoked_meanwhile_does_not_come_back(ask: Ask, issued: IssuedKey) -> None:
    _suspend(issued.key.owner)
    actions.revoke_key(actor=PORTAL, key=issued.key, reason="leaked")

    assert _resume(issued.key.owner, issued.key) == []
    assert ask(issued.token).content == INACTIVE


def test_nobody_brings_back_the_key_of_somebody_else(issued: IssuedKey) -> None:
    owner, stranger = issued.key.owner, organizations.founder().user
    _suspend(owner)

    with pytest.raises(NotPermittedError):
        actions.resume_keys(actor=Actor.of(stranger), owner=owner, key_ids=[issued.key.key_id])

    assert _resume(stranger, issued.key) == []
    assert ApiKey.objects.get(pk=issued.key.pk).suspended_at is not None


def test_only_the_portal_suspends(issued: IssuedKey) -> None:
    with pytest.raises(NotPermittedError):
        actions.suspend_keys_of(actor=Actor.of(issued.key.owner), owner=issued.key.owner, cause=LOCKDOWN)


def test_a_suspension_that_sql_took_away_leaves_an_altered_key(ask: Ask, issued: IssuedKey) -> None:
    _suspend(issued.key.owner)

    with connection.cursor() as cursor:
        cursor.execute("UPDATE credentials_apikey SET suspended_at = NULL, suspend_cause = ''")

    assert ask(issued.token).content == INACTIVE
    assert "key.tamper.detect" in recorded(Stream.organization(issued.key.organization.public_id))


def test_suspending_gives_an_altered_key_no_fresh_seal(ask: Ask, issued: IssuedKey) -> None:
    ApiKey.objects.filter(pk=issued.key.pk).update(scopes=["workflows:run", "audit:read"])
    _suspend(issued.key.owner)

    resumed = _resume(issued.key.owner, issued.key)

    assert resumed == []
    assert ask(issued.token).content == INACTIVE


def test_a_suspended_key_has_no_successor(issued: IssuedKey) -> None:
    by = Membership.objects.get(user=issued.key.owner)
    _suspend(issued.key.owner)

    with pytest.raises(errors.KeySuspended):
        actions.rotate_key(actor=Actor.of(by.user), by=by, key=issued.key)


def test_a_line_never_has_three_keys_once_the_suspended_one_is_back(issued: IssuedKey) -> None:
    by = Membership.objects.get(user=issued.key.owner)
    second = actions.rotate_key(actor=Actor.of(by.user), by=by, key=issued.key).key
    _suspend(by.user)
    _resume(by.user, second)

    with pytest.raises(errors.FamilyFull):
        actions.rotate_key(actor=Actor.of(by.user), by=by, key=second)


def test_the_page_of_a_suspended_key_says_so_and_offers_no_rotation(client: Client) -> None:
    place = organizations.founder()
    key = credentials.api_key(place)
    sign_in(client, place.user)
    _suspend(place.user)

    shown = client.get(f"/accounts/keys/{key.key_id}/").content.decode()
    listed = client.get("/accounts/keys/?state=suspended").content.decode()

    assert "Suspended" in shown
    assert "locked down" in shown
    assert f"/accounts/keys/{key.key_id}/rotate/" not in shown
    assert key.name in listed


def test_contacts_hear_that_a_key_stops_and_works_again() -> None:
    place = organizations.founder()
    contact = organizations.member(place.organization, Membership.Role.MEMBER).user
    key = credentials.api_key(place, contacts=[contact])

    _suspend(place.user)
    _resume(place.user, key)

    assert kinds_to(contact.email)[-2:] == ["credentials.key_suspended", "credentials.key_resumed"]
    assert "credentials.key_suspended" not in kinds_to(place.user.email)


def test_suspending_twice_keeps_the_first_instant(issued: IssuedKey) -> None:
    first = _suspend(issued.key.owner)[0].suspended_at

    assert _suspend(issued.key.owner) == []
    assert ApiKey.objects.get().suspended_at == first


def test_the_database_refuses_a_suspension_without_a_cause(issued: IssuedKey) -> None:
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError, match="credentials_apikey_suspension"), transaction.atomic():
        ApiKey.objects.update(suspended_at=timezone.now() - timedelta(minutes=1))


def test_a_suspended_key_is_not_among_those_to_rotate(issued: IssuedKey) -> None:
    _suspend(issued.key.owner)
    now = timezone.now()

    assert not ApiKey.objects.current(now).exists()
    assert [key.state_at(now) for key in ApiKey.objects.in_state(rules.State.SUSPENDED, now)] == ["suspended"]

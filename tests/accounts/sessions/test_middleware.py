"""A session counts only while its row does: asked on every request, closed by default."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.identity.models import User
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream
from kellexa_portal.audit.models import Event
from kellexa_portal.audit.queries import events_of
from tests.factories.sign_in import new_person, sign_in

pytestmark = pytest.mark.django_db

PAGE = "/accounts/mfa/"
NOON = "2026-11-23T12:00:07Z"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def ada() -> User:
    return new_person()


@pytest.fixture
def session(client: Client, ada: User) -> AccountSession:
    return sign_in(client, ada)


def is_admitted(client: Client) -> bool:
    return client.get(PAGE).status_code == 200


def expiries(user: User) -> list[str]:
    return [
        event.reason for event in events_of(Stream.user(user.public_id)) if event.name == "session.expire"
    ]


def test_a_live_session_is_admitted(client: Client, session: AccountSession) -> None:
    assert is_admitted(client)


def test_a_session_without_a_row_is_refused(client: Client, session: AccountSession) -> None:
    """Closed by default: a Django session that ``complete_login`` did not make opens nothing."""
    AccountSession.objects.all().delete()

    assert not is_admitted(client)
    assert SESSION_KEY not in client.session


def test_a_stale_epoch_ends_the_session(client: Client, ada: User, session: AccountSession) -> None:
    User.objects.update(security_epoch=ada.security_epoch + 1)

    assert not is_admitted(client)
    assert expiries(ada) == ["epoch"]


def test_deactivation_ends_the_session(client: Client, ada: User, session: AccountSession) -> None:
    """Case 33."""
    User.objects.update(is_active=False)

    assert not is_admitted(client)
    assert expiries(ada) == ["inactive"]


def test_a_password_changed_behind_the_portal_ends_the_session(
    client: Client, ada: User, session: AccountSession
) -> None:
    ada.set_password("another anchor sings at dusk")
    ada.save()

    assert not is_admitted(client)


@pytest.mark.parametrize(
    ("is_staff", "idle"), [(False, timedelta(minutes=30)), (True, timedelta(minutes=15))]
)
def test_an_idle_session_ends(client: Client, clock, *, is_staff: bool, idle: timedelta) -> None:
    person = new_person("sam@kellexa.example", is_staff=is_staff)
    sign_in(client, person)
    page = "/admin/" if is_staff else PAGE
    clock.shift(idle - timedelta(seconds=1))
    before = client.get(page).status_code
    clock.shift(idle)

    after = client.get(page).status_code

    assert (before, after) == (200, 302)
    assert expiries(person) == ["idle"]


@pytest.mark.parametrize(("is_staff", "longest"), [(False, timedelta(hours=12)), (True, timedelta(hours=8))])
def test_a_session_ends_however_much_it_is_used(
    client: Client, clock, *, is_staff: bool, longest: timedelta
) -> None:
    person = new_person("sam@kellexa.example", is_staff=is_staff)
    session = sign_in(client, person)
    page = "/admin/" if is_staff else PAGE
    status = 200
    while status == 200:
        clock.shift(timedelta(minutes=10))
        status = client.get(page).status_code

    session.refresh_from_db()
    assert session.ended_at == session.started_at + longest
    assert expiries(person) == ["absolute"]


def test_an_expiry_is_recorded_once(client: Client, ada: User, session: AccountSession, clock) -> None:
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    other = Client()
    other.cookies[settings.SESSION_COOKIE_NAME] = key
    clock.shift(timedelta(hours=1))

    client.get(PAGE)
    other.get(PAGE)

    assert expiries(ada) == ["idle"]


def test_the_person_is_told_why_and_comes_back_to_the_page(
    client: Client, session: AccountSession, clock
) -> None:
    clock.shift(timedelta(hours=1))

    response = client.get(PAGE, follow=True)

    assert response.redirect_chain == [("/accounts/login/?next=%2Faccounts%2Fmfa%2F", 302)]
    assert "was not used for a while" in response.content.decode()


def test_last_seen_is_written_once_a_minute(client: Client, session: AccountSession, clock) -> None:
    client.get(PAGE)
    clock.shift(timedelta(seconds=59))
    client.get(PAGE)
    session.refresh_from_db()
    after_59 = session.last_seen_at
    clock.shift(timedelta(seconds=1))
    client.get(PAGE, REMOTE_ADDR="198.51.100.77")
    session.refresh_from_db()

    assert after_59 == session.started_at
    assert session.last_seen_at == session.started_at + timedelta(seconds=60)
    assert session.ip_prefix == "198.51.100.0/24"


def test_evidence_names_the_session_and_how_it_was_proved(
    client: Client, ada: User, session: AccountSession
) -> None:
    other = Client()
    theirs = sign_in(other, ada)
    client.post(f"/accounts/sessions/{theirs.public_id}/end/")

    event = Event.objects.filter(name="session.revoke").get()

    assert str(session.public_id) in str(vars(event))
    assert event.target_id == str(theirs.public_id)


def test_public_pages_ask_nothing_of_the_database_for_strangers(
    client: Client, django_assert_num_queries
) -> None:
    with django_assert_num_queries(0):
        client.get("/accounts/logout/")


def test_the_check_costs_four_queries(client: Client, session: AccountSession) -> None:
    """Django's session, this row, the account and its factor."""
    client.get("/accounts/logout/")

    with CaptureQueriesContext(connection) as queries:
        client.get("/accounts/logout/")

    assert len(queries) <= 4

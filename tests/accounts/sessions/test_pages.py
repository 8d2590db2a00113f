"""Signing out, the list of sessions, and a person's own security log."""

from __future__ import annotations

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.identity.access import NotPermittedError
from accounts.identity.models import StaffAssignment, User
from accounts.sessions.actions import end_session, end_sessions
from accounts.sessions.models import AccountSession
from accounts.sessions.views import EVENTS_A_PAGE
from kellexa_portal.audit import Stream
from kellexa_portal.audit.queries import events_of
from kellexa_portal.core.actor import Actor
from tests.factories import accounts
from tests.factories.sign_in import enrolled, new_person, oathtool, prove_password, sign_in

pytestmark = pytest.mark.django_db

LIST = "/accounts/sessions/"
LOGOUT = "/accounts/logout/"
ACTIVITY = "/accounts/activity/"
END_OTHERS = "/accounts/sessions/end-others/"


@pytest.fixture
def ada() -> User:
    return new_person()


@pytest.fixture
def session(client: Client, ada: User) -> AccountSession:
    return sign_in(client, ada)


def names_of(user: User) -> list[str]:
    return [event.name for event in events_of(Stream.user(user.public_id)).order_by("pk")]


def test_signing_out_ends_the_session_and_clears_the_browser(
    client: Client, ada: User, session: AccountSession
) -> None:
    key = client.cookies[settings.SESSION_COOKIE_NAME].value

    response = client.post(LOGOUT)

    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = key
    session.refresh_from_db()
    assert (response.status_code, response["Location"]) == (303, LOGOUT)
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    assert session.end_reason == "signed_out"
    assert not Session.objects.exists()
    assert thief.get(LIST).status_code == 302
    assert "You are signed out" in client.get(LOGOUT).content.decode()
    assert names_of(ada) == ["auth.login.succeed", "session.end"]


def test_a_link_signs_nobody_out(client: Client, session: AccountSession) -> None:
    page = client.get(LOGOUT)

    assert page.status_code == 200
    assert "Sign out</button>" in page.content.decode()
    assert client.get(LIST).status_code == 200


def test_a_foreign_page_signs_nobody_out(ada: User) -> None:
    client = Client(enforce_csrf_checks=True)
    sign_in(client, ada)

    response = client.post(LOGOUT)

    assert response.status_code == 403
    assert client.get(LIST).status_code == 200


def test_signing_out_twice_is_no_error(client: Client, session: AccountSession) -> None:
    client.post(LOGOUT)

    assert client.post(LOGOUT).status_code == 303


def test_the_list_shows_device_network_factor_and_this_device(client: Client, ada: User) -> None:
    device = enrolled(ada)
    agent = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    with time_machine.travel("2026-11-23T12:00:07Z", tick=False):
        prove_password(client, ada)
        client.post(
            "/accounts/login/verify/",
            {"code": oathtool(device.open_seed())},
            headers=agent,
            REMOTE_ADDR="203.0.113.9",
        )
        page = client.get(LIST, REMOTE_ADDR="203.0.113.9")

    text = page.content.decode()
    for fact in ("Firefox on Linux", "203.0.113.0/24", "Authenticator app", "This device"):
        assert fact in text
    assert "no-store" in page["Cache-Control"]


def test_the_list_shows_only_live_sessions_of_the_person(client: Client, ada: User) -> None:
    sign_in(Client(), new_person("bob@example.com"))
    gone = sign_in(Client(), ada)
    AccountSession.objects.filter(pk=gone.pk).update(ended_at=gone.started_at, end_reason="revoked")
    live = sign_in(Client(), ada)
    sign_in(client, ada)

    page = client.get(LIST)

    assert [session.pk for session in page.context["others"]] == [live.pk]


def test_ending_this_session_signs_out(client: Client, session: AccountSession) -> None:
    response = client.post(f"/accounts/sessions/{session.public_id}/end/")

    assert response["Location"] == LOGOUT
    assert client.get(LIST).status_code == 302


def test_all_others_can_be_ended_at_once(client: Client, ada: User, session: AccountSession) -> None:
    others = [Client() for _ in range(3)]
    for other in others:
        sign_in(other, ada)

    response = client.post(END_OTHERS, follow=True)

    assert "3 other sessions were ended" in response.content.decode()
    assert all(other.get(LIST).status_code == 302 for other in others)
    assert client.get(LIST).status_code == 200
    assert names_of(ada).count("session.revoke_others") == 1


@pytest.mark.parametrize("path", [END_OTHERS, "/accounts/sessions/01890000-0000-7000-8000-000000000000/end/"])
def test_nothing_changes_by_a_link(client: Client, session: AccountSession, path: str) -> None:
    assert client.get(path).status_code == 405


def test_the_log_tells_in_sentences_what_happened_to_oneself_alone(
    client: Client, ada: User, session: AccountSession
) -> None:
    bob = Client()
    sign_in(bob, new_person("bob@example.com"))
    bob.post(LOGOUT)

    page = client.get(ACTIVITY)

    text = page.content.decode()
    assert "Signed in." in text
    assert "Signed out." not in text
    assert [event.name for event in page.context["page"].items] == ["auth.login.succeed"]


def test_the_log_is_read_in_pages(client: Client, ada: User, session: AccountSession) -> None:
    for _ in range(EVENTS_A_PAGE + 3):
        client.post(f"/accounts/sessions/{sign_in(Client(), ada).public_id}/end/")

    first = client.get(ACTIVITY)
    second = client.get(ACTIVITY, {"cursor": first.context["page"].next_cursor})
    garbage = client.get(ACTIVITY, {"cursor": "%%%"})

    assert len(first.context["page"].items) == EVENTS_A_PAGE
    assert 'rel="next"' in first.content.decode()
    seen = {event.pk for event in first.context["page"].items}
    assert not seen & {event.pk for event in second.context["page"].items}
    assert garbage.status_code == 200


@pytest.mark.parametrize("path", [LIST, ACTIVITY])
def test_pages_cost_the_same_at_two_sizes(
    client: Client, ada: User, session: AccountSession, path: str
) -> None:
    client.get(path)
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    for _ in range(20):
        sign_in(Client(), ada)

    with CaptureQueriesContext(connection) as many:
        client.get(path)

    assert len(many) == len(few)


@pytest.mark.parametrize("path", [LIST, ACTIVITY])
def test_strangers_are_asked_to_sign_in(client: Client, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=")


def test_staff_see_their_own_sessions_and_their_own_limits(client: Client, ada: User) -> None:
    sign_in(Client(), ada)
    sign_in(client, new_person("sam@kellexa.example", is_staff=True))

    page = client.get(LIST)

    assert page.status_code == 200
    assert page.context["others"] == []
    assert "15 minutes without use and after 8 hours" in page.content.decode()


def test_an_administrator_can_end_a_session(client: Client, ada: User) -> None:
    admin = new_person("sam@kellexa.example", is_staff=True)
    StaffAssignment.objects.create(user=admin, role=StaffAssignment.Role.ADMINISTRATOR)
    sign_in(client, admin)
    customer = Client()
    theirs = sign_in(customer, ada)
    form = {"action": "end_selected", "_selected_action": [theirs.pk]}

    page = client.get("/admin/account_sessions/accountsession/")
    client.post("/admin/account_sessions/accountsession/", form)

    assert page.status_code == 200
    assert customer.get(LIST).status_code == 302
    event = events_of(Stream.user(ada.public_id)).order_by("pk").last()
    assert (event.name, event.actor_type, event.actor_id) == ("session.revoke", "staff", str(admin.public_id))


def test_staff_without_the_role_see_no_sessions(client: Client, ada: User) -> None:
    triager = new_person("tea@kellexa.example", is_staff=True)
    StaffAssignment.objects.create(user=triager, role=StaffAssignment.Role.TRIAGER)
    sign_in(client, triager)

    assert client.get("/admin/account_sessions/accountsession/").status_code == 403


def test_an_auditor_looks_and_ends_nothing(client: Client, ada: User) -> None:
    auditor = new_person("pat@kellexa.example", is_staff=True)
    StaffAssignment.objects.create(user=auditor, role=StaffAssignment.Role.PLATFORM_AUDITOR)
    sign_in(client, auditor)
    theirs = sign_in(Client(), ada)
    form = {"action": "end_selected", "_selected_action": [theirs.pk]}

    detail = client.get(f"/admin/account_sessions/accountsession/{theirs.pk}/change/")
    client.post("/admin/account_sessions/accountsession/", form)
    client.post(f"/admin/account_sessions/accountsession/{theirs.pk}/change/", {"device": "mine"})
    client.post(f"/admin/account_sessions/accountsession/{theirs.pk}/delete/", {"post": "yes"})

    theirs.refresh_from_db()
    assert detail.status_code == 200
    assert "key_digest" not in detail.content.decode()
    assert theirs.ended_at is None
    assert theirs.device != "mine"


@pytest.mark.parametrize("kind", ["anonymous", "customer", "key", "auditor"])
def test_the_actions_themselves_ask_who_ends_a_session(ada: User, session: AccountSession, kind: str) -> None:
    actors = {
        "anonymous": Actor.anonymous,
        "customer": lambda: Actor.of(new_person("bob@example.com")),
        "key": lambda: Actor.key(str(ada.public_id)),
        "auditor": lambda: Actor.of(accounts.staff(StaffAssignment.Role.PLATFORM_AUDITOR)),
    }
    actor = actors[kind]()

    with pytest.raises(NotPermittedError):
        end_session(session=session, actor=actor)
    with pytest.raises(NotPermittedError):
        end_sessions(user=ada, actor=actor)

    session.refresh_from_db()
    assert session.ended_at is None

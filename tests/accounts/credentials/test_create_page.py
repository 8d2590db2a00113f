"""Creating a key through its page."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.credentials import tokens
from accounts.credentials.models import ApiKey
from accounts.organizations.models import Membership
from accounts.sessions.models import HandOver
from accounts.sessions.rules import HAND_OVER_LIFETIME
from kellexa_portal.audit import Stream
from tests.accounts.credentials.pages import CREATE, LIST, TOKEN, typed, url_of
from tests.factories import organizations, sign_in
from tests.factories.audit_support import recorded
from tests.support.parallel import at_once

pytestmark = pytest.mark.django_db


def test_a_key_is_created_and_its_token_shown_once(client: Client, place: Membership) -> None:
    sent = client.post(CREATE, typed(allowed_networks="192.0.2.7\n10.0.0.0/8, 2001:DB8::/32"))
    answer = client.get(sent["Location"])

    token = TOKEN.search(answer.content.decode())
    key = ApiKey.objects.get()
    assert (sent.status_code, answer.status_code) == (303, 200)
    assert "no-store" in answer["Cache-Control"]
    assert not TOKEN.search(sent.content.decode())
    assert token is not None
    assert tokens.parse(token[0]) is not None
    assert key.organization == place.organization
    assert key.owner == place.user
    assert key.allowed_networks == ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"]
    assert key.last4 == token[0][-4:]
    assert not TOKEN.search(client.get(url_of(key)).content.decode())
    assert not TOKEN.search(client.get(LIST).content.decode())


def test_going_back_or_reloading_shows_that_the_token_is_gone(client: Client, place: Membership) -> None:
    page = client.post(CREATE, typed())["Location"]
    client.get(page)

    again = client.get(page)

    assert again.status_code == 410
    assert not TOKEN.search(again.content.decode())
    assert "no longer shown" in again.content.decode()


def test_a_head_request_takes_no_token(client: Client, place: Membership) -> None:
    page = client.post(CREATE, typed())["Location"]

    head = client.head(page)

    assert head.status_code == 410
    assert TOKEN.search(client.get(page).content.decode())


def test_no_other_session_gets_the_token(client: Client, place: Membership) -> None:
    page = client.post(CREATE, typed())["Location"]
    same_person, colleague, stranger = Client(), Client(), Client()
    sign_in.sign_in(same_person, place.user)
    sign_in.sign_in(colleague, organizations.member(place.organization, Membership.Role.OWNER).user)
    sign_in.sign_in(stranger, organizations.founder("Other").user)

    answers = [browser.get(page).status_code for browser in (same_person, colleague, stranger)]

    assert answers == [410, 410, 404]
    assert TOKEN.search(client.get(page).content.decode())


def test_a_token_that_nobody_came_for_is_gone_after_five_minutes(client: Client, place: Membership) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        page = client.post(CREATE, typed())["Location"]
        clock.shift(HAND_OVER_LIFETIME)

        late = client.get(page)

    assert late.status_code == 410
    assert not HandOver.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_requests_at_once_one_gets_the_token(client: Client, place: Membership) -> None:
    page = client.post(CREATE, typed())["Location"]
    browsers = [client, Client()]
    browsers[1].cookies = client.cookies

    answers = at_once(2, lambda index: browsers[index].get(page).status_code)

    assert sorted(answers) == [200, 410]


def _everything_stored() -> dict[str, str]:
    """Every row of every table, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [table for (table,) in cursor.fetchall()]
        stored = {}
        for table in tables:
            cursor.execute(f'SELECT string_agg(t::text, chr(10)) FROM "{table}" t')
            stored[table] = cursor.fetchone()[0] or ""
    return stored


def test_no_table_no_session_no_mail_and_no_event_holds_the_token(client: Client, place: Membership) -> None:
    page = client.post(CREATE, typed())["Location"]
    waiting = _everything_stored()
    token = TOKEN.search(client.get(page).content.decode())

    assert token is not None
    secret = token[0][24:67]
    for stored in (waiting, _everything_stored()):
        assert not [
            table for table, text in stored.items() if secret in text or secret.encode().hex() in text
        ]
    assert "account_sessions_handover" in waiting
    assert secret not in str(dict(client.session))


def test_the_same_form_sent_twice_makes_one_key_and_shows_no_token_again(
    client: Client, place: Membership
) -> None:
    form = typed()
    first = client.post(CREATE, form)

    again = client.post(CREATE, form)

    shown = [TOKEN.findall(client.get(page["Location"]).content.decode()) for page in (first, again)]
    assert (again.status_code, again["Location"]) == (303, first["Location"])
    assert [len(tokens) for tokens in shown] == [1, 0]
    assert ApiKey.objects.count() == 1


def test_a_new_key_lives_through_the_chosen_day_of_the_persons_zone(
    client: Client, place: Membership
) -> None:
    place.user.time_zone = "Pacific/Auckland"
    place.user.save()

    client.post(CREATE, typed(expires_at=(timezone.now() + timedelta(days=30)).date().isoformat()))

    end = ApiKey.objects.get().expires_at.astimezone(ZoneInfo("Pacific/Auckland"))
    assert (end.hour, end.minute, end.second) == (0, 0, 0)
    assert end.date() == (timezone.now() + timedelta(days=31)).date()


def test_a_key_without_a_date_lives_ninety_days(client: Client, place: Membership) -> None:
    client.post(CREATE, typed(expires_at=""))

    key = ApiKey.objects.get()
    assert key.expires_at - key.created_at == timedelta(days=90)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 81),
        ("name", "bad\u202etxt"),
        ("scopes", []),
        ("scopes", ["keys:verify"]),
        ("scopes", ["workflows:run", "nothing:here"]),
        ("kind", "root"),
        ("environment", "staging"),
        ("expires_at", "yesterday"),
        ("expires_at", "2001-01-01"),
        ("expires_at", "9999-12-31"),
        ("expires_at", "0000-00-00"),
        ("allowed_networks", "somewhere"),
        ("allowed_networks", "192.0.2.1/8"),
        ("allowed_networks", "0.0.0.0/0"),
        ("allowed_networks", "::/0"),
        ("allowed_networks", "\n".join(f"192.0.{number}.1" for number in range(51))),
        ("contacts", ["not-an-id"]),
        ("contacts", [str(uuid.uuid4())]),
        ("nonce", ""),
        ("nonce", "x"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field_and_what_was_typed_stays(
    client: Client, place: Membership, field: str, value: Any
) -> None:
    answer = client.post(CREATE, typed(owner_label="Platform team") | {field: value})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert "Platform team" in page
    assert not ApiKey.objects.exists()


def test_a_personal_key_has_no_contacts(client: Client, place: Membership) -> None:
    colleague = organizations.member(place.organization)

    answer = client.post(CREATE, typed(kind="personal", contacts=[str(colleague.user.public_id)]))

    assert answer.status_code == 422
    assert "contacts" in answer.context["form"].errors


def test_a_stranger_cannot_become_a_contact(client: Client, place: Membership) -> None:
    stranger = organizations.founder()

    answer = client.post(CREATE, typed(contacts=[str(stranger.user.public_id)]))

    assert answer.status_code == 422
    assert not ApiKey.objects.exists()


def test_a_member_makes_personal_keys_with_their_own_rights_only(client: Client, place: Membership) -> None:
    sign_in.sign_in(client, organizations.member(place.organization).user)

    page = client.get(CREATE).content.decode()
    service = client.post(CREATE, typed(kind="service"))
    wide = client.post(CREATE, typed(kind="personal", scopes=["audit:read"]))
    own = client.post(CREATE, typed(kind="personal"))

    assert "audit:read" not in page
    assert [service.status_code, wide.status_code, own.status_code] == [422, 422, 303]


def test_an_auditor_makes_none(client: Client, place: Membership) -> None:
    sign_in.sign_in(client, organizations.member(place.organization, Membership.Role.AUDITOR).user)

    assert client.get(CREATE).status_code == 403
    assert client.post(CREATE, typed()).status_code == 403
    assert recorded(Stream.organization(place.organization.public_id))[-1] == "key.access.denied"
    assert "New key" not in client.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("allowed_networks", "0.0.0.0/0", "is every address there is"),
        ("contacts", ["not-an-id"], "Choose people who are members of your organization."),
        ("contacts", [str(uuid.uuid4())], "Choose people who are members of your organization."),
    ],
)
def test_a_refusal_says_what_to_do_instead(
    client: Client, place: Membership, field: str, value: Any, words: str
) -> None:
    answer = client.post(CREATE, typed() | {field: value})

    assert words in answer.content.decode()


@pytest.mark.parametrize("nonce", ["", "zzz"])
def test_a_page_that_is_too_old_comes_back_as_one_that_works(
    client: Client, place: Membership, nonce: str
) -> None:
    refused = client.post(CREATE, typed(nonce=nonce))

    fresh = refused.context["form"]["nonce"].value()
    assert refused.status_code == 422
    assert client.post(CREATE, typed(nonce=fresh))["Location"].endswith("/token/")

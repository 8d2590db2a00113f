"""Guessing is slow for strangers and never locks an owner out."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.identity import known_browser, limits
from accounts.identity.models import PendingSignIn, User
from kellexa_portal.audit import Stream
from kellexa_portal.audit.queries import events_of
from kellexa_portal.ratelimit import spend
from tests.factories import accounts
from tests.factories.audit_support import recorded

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"
EMAIL = "robin@customer.example"
WRONG = "not-the-right-words-1"


def _try(
    client: Client, email: str = EMAIL, password: str = WRONG, *, ip: str = "203.0.113.5", **headers: str
) -> int:
    return client.post(LOGIN, {"email": email, "password": password}, REMOTE_ADDR=ip, **headers).status_code


def _known_browser_of(user: User) -> Client:
    browser, response = Client(), HttpResponse()
    known_browser.mark(response, user)
    browser.cookies.update(response.cookies)
    return browser


def test_the_refusal_says_when_to_come_back(client: Client) -> None:
    for _ in range(5):
        _try(client)

    response = client.post(LOGIN, {"email": EMAIL, "password": WRONG}, REMOTE_ADDR="203.0.113.5")

    assert 0 < int(response["Retry-After"]) <= 900
    assert "Too many attempts" in response.content.decode()


def test_a_known_browser_has_a_budget_too() -> None:
    mine = _known_browser_of(accounts.user(email=EMAIL))

    guesses = [_try(mine, ip=f"203.0.113.{number}") for number in range(11)]

    assert guesses == [422] * 10 + [429]


def test_the_mark_is_out_of_reach_of_scripts_and_names_nobody() -> None:
    user, response = accounts.user(email=EMAIL), HttpResponse()

    known_browser.mark(response, user)

    (cookie,) = response.cookies.values()
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert str(user.public_id) not in cookie.OutputString()
    assert EMAIL not in cookie.OutputString()


def test_one_network_cannot_try_many_accounts(client: Client) -> None:
    tries = [_try(client, f"person{number}@customer.example") for number in range(21)]

    assert tries == [422] * 20 + [429]


def test_signing_in_again_and_again_spends_nothing() -> None:
    accounts.user(email=EMAIL)

    assert {_try(Client(), password=accounts.PASSWORD) for _ in range(25)} == {302}


def test_a_refusal_for_too_many_attempts_is_on_record() -> None:
    user = accounts.user(email=EMAIL)

    for number in range(6):
        _try(Client(), ip=f"203.0.113.{number}")

    assert recorded(Stream.user(user.public_id)) == ["auth.login.fail"] * 5 + ["auth.login.deny"]


def test_a_flood_from_one_network_does_not_fill_the_record(client: Client) -> None:
    for number in range(40):
        _try(client, f"person{number}@customer.example")

    assert events_of(Stream.system()).filter(name="auth.login.deny").count() == 1


@pytest.fixture
def no_redis(settings) -> None:
    """A Redis that is down: nothing listens on this port."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


def test_customers_sign_in_and_guessers_are_counted_while_redis_is_down(no_redis: None) -> None:
    accounts.user(email=EMAIL)

    success = _try(Client(), password=accounts.PASSWORD)
    guesses = [_try(Client(), ip=f"203.0.113.{number}") for number in range(6)]

    assert success == 302
    assert guesses == [422] * 5 + [429]


def test_staff_do_not_sign_in_while_redis_is_down_and_no_answer_tells_a_right_password(
    no_redis: None,
) -> None:
    person = accounts.staff()

    guess = _try(Client(), person.email)
    right = _try(Client(), person.email, accounts.PASSWORD)

    assert (guess, right) == (429, 429)
    assert not PendingSignIn.objects.exists()
    assert recorded(Stream.user(person.public_id)) == ["auth.login.deny"] * 2


def test_wrong_guesses_leave_the_budget_of_staff_whole() -> None:
    """It counts right passwords: a stranger must not be able to lock a member of the staff out."""
    person = accounts.staff()
    for number in range(5):
        _try(Client(), person.email, ip=f"203.0.113.{number}")

    assert spend(limits.STAFF_LOGIN, str(person.public_id)).remaining == limits.STAFF_LOGIN.budget - 1

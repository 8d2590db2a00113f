"""Guessing is slow for strangers and never locks an owner out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
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


def test_the_sixth_guess_from_unknown_browsers_is_refused_whatever_it_is() -> None:
    accounts.user(email=EMAIL)

    guesses = [_try(Client(), ip=f"203.0.113.{number}") for number in range(6)]

    assert guesses == [422] * 5 + [429]
    assert _try(Client(), password=accounts.PASSWORD, ip="198.51.100.9") == 429


def test_the_refusal_says_when_to_come_back(client: Client) -> None:
    for _ in range(5):
        _try(client)

    response = client.post(LOGIN, {"email": EMAIL, "password": WRONG}, REMOTE_ADDR="203.0.113.5")

    assert 0 < int(response["Retry-After"]) <= 900
    assert "Too many attempts" in response.content.decode()


def test_an_address_without_an_account_is_refused_alike(client: Client) -> None:
    assert [_try(client, "nobody@customer.example") for _ in range(6)] == [422] * 5 + [429]


@pytest.mark.parametrize(
    "variants",
    [
        ["robin@customer.example", "ROBIN@customer.example", "robin@CUSTOMER.example"],
        ["robin@customer.example", " robin@customer.example", "ｒｏｂｉｎ@customer.example"],
    ],
)
def test_spellings_of_an_address_share_one_budget(variants: list[str]) -> None:
    accounts.user(email=EMAIL)

    guesses = [_try(Client(), variants[number % 3], ip=f"203.0.113.{number}") for number in range(6)]

    assert guesses == [422] * 5 + [429]


def test_strangers_never_lock_a_known_browser_out() -> None:
    user = accounts.user(email=EMAIL)
    mine = _known_browser_of(user)
    for number in range(30):
        _try(Client(), ip=f"203.0.113.{number}")

    assert _try(mine, password=accounts.PASSWORD, ip="198.51.100.1") == 302


def test_a_known_browser_has_a_budget_too() -> None:
    mine = _known_browser_of(accounts.user(email=EMAIL))

    guesses = [_try(mine, ip=f"203.0.113.{number}") for number in range(11)]

    assert guesses == [422] * 10 + [429]


def test_a_browser_known_for_one_account_is_unknown_for_another() -> None:
    mine = _known_browser_of(accounts.user(email="other@customer.example"))
    accounts.user(email=EMAIL)

    guesses = [_try(mine, ip=f"203.0.113.{number}") for number in range(6)]

    assert guesses == [422] * 5 + [429]


def test_the_mark_of_a_browser_dies_when_the_account_is_secured() -> None:
    user = accounts.user(email=EMAIL)
    mine = _known_browser_of(user)
    User.objects.update(security_epoch=user.security_epoch + 1)

    guesses = [_try(mine, ip=f"203.0.113.{number}") for number in range(6)]

    assert guesses == [422] * 5 + [429]


def test_a_forged_mark_is_worth_nothing() -> None:
    user = accounts.user(email=EMAIL)
    mine = _known_browser_of(user)
    name = known_browser.cookie_name(user)
    mine.cookies[name] = mine.cookies[name].value[:-3] + "xyz"

    guesses = [_try(mine, ip=f"203.0.113.{number}") for number in range(6)]

    assert guesses == [422] * 5 + [429]


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


def test_addresses_of_one_ipv6_subnet_are_one_network(client: Client) -> None:
    tries = [
        _try(client, f"person{number}@customer.example", ip=f"2001:db8::{number:x}") for number in range(21)
    ]

    assert tries == [422] * 20 + [429]


def test_forged_forwarding_headers_change_nothing(client: Client) -> None:
    tries = [
        _try(client, f"person{number}@customer.example", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}, garbage")
        for number in range(21)
    ]

    assert tries == [422] * 20 + [429]


def test_an_own_success_does_not_clear_the_failures_of_the_network(client: Client) -> None:
    accounts.user(email=EMAIL)

    tries = []
    for number in range(20):
        tries.append(_try(client, f"person{number}@customer.example"))
        if number % 5 == 0:
            assert _try(Client(), password=accounts.PASSWORD) == 302

    assert tries == [422] * 20
    assert _try(client, "one-more@customer.example") == 429


def test_an_own_success_does_not_clear_the_guesses_of_others() -> None:
    accounts.user(email=EMAIL)
    for number in range(4):
        _try(Client(), ip=f"203.0.113.{number}")

    success = _try(Client(), password=accounts.PASSWORD, ip="198.51.100.1")
    guesses = [_try(Client(), ip=f"203.0.113.{number}") for number in range(10, 12)]

    assert success == 302
    assert guesses == [422, 429]


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


@pytest.mark.django_db(transaction=True)
def test_of_many_parallel_guesses_no_more_than_the_budget_is_answered() -> None:
    accounts.user(email=EMAIL)

    def guess(number: int) -> int:
        try:
            return _try(Client(), ip=f"203.0.113.{number}")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(24)))

    assert answers.count(422) == 5
    assert answers.count(429) == 19
    assert not PendingSignIn.objects.exists()


def test_the_documented_limits_are_the_real_ones() -> None:
    text = (known_browser.settings.BASE_DIR / "docs/adr/0007-sign-up-and-sign-in.md").read_text(
        encoding="utf-8"
    )

    for limit in vars(limits).values():
        if isinstance(limit, limits.Limit):
            minutes = int(limit.period.total_seconds() // 60)
            assert f"| `{limit.name}` | {limit.budget} | {minutes} min |" in text


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

"""Confirming a sign-up: the one way in which a customer's account comes to be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.identity import pending
from accounts.identity.models import PendingSignIn, SignUp, User
from accounts.organizations.models import Membership
from kellexa_portal.audit import Stream
from tests.accounts.identity.mailbox import kinds_to, path_to
from tests.accounts.identity.wishes import EMAIL, sign_up
from tests.factories import accounts
from tests.factories.audit_support import recorded

pytestmark = pytest.mark.django_db


def test_looking_at_the_link_changes_nothing(client: Client) -> None:
    sign_up(client)

    response = client.get(path_to(EMAIL))

    assert response.status_code == 200
    assert "Confirm address" in response.content.decode()
    assert not User.objects.exists()


def test_confirming_makes_the_account_and_its_organization(client: Client) -> None:
    sign_up(client)

    client.post(path_to(EMAIL))

    user = User.objects.get()
    assert (user.email, user.name, user.time_zone) == (EMAIL, "Robin Sample", "Europe/Lisbon")
    assert user.is_active
    assert not user.is_staff
    assert user.check_password(accounts.PASSWORD)
    membership = Membership.objects.select_related("organization").get(user=user)
    assert (membership.role, membership.organization.name) == ("owner", "Sample Works")
    assert "account.signup.complete" in recorded(Stream.user(user.public_id))


def test_confirming_leads_on_to_the_second_factor_and_signs_nobody_in(client: Client) -> None:
    sign_up(client)

    response = client.post(path_to(EMAIL))

    assert response["Location"] == "/accounts/login/verify/"
    assert "_auth_user_id" not in client.session
    assert PendingSignIn.objects.get(public_id=client.session[pending.SESSION_KEY]).user == User.objects.get()


def test_the_browser_that_began_is_not_asked_for_the_password_again(client: Client) -> None:
    sign_up(client)

    assert 'name="password"' not in client.get(path_to(EMAIL)).content.decode()


def test_another_browser_is_asked_for_the_password(client: Client) -> None:
    sign_up(client)
    other = Client()

    page = other.get(path_to(EMAIL)).content.decode()
    without, wrong = (
        other.post(path_to(EMAIL)),
        other.post(path_to(EMAIL), {"password": "another-lantern-quarry"}),
    )
    right = other.post(path_to(EMAIL), {"password": accounts.PASSWORD})

    assert 'name="password"' in page
    assert (without.status_code, wrong.status_code, right.status_code) == (422, 422, 302)
    assert User.objects.count() == 1


def test_a_strangers_sign_up_cannot_plant_their_password(client: Client) -> None:
    stranger, owner = Client(), Client()
    sign_up(stranger, password="strangers-chosen-word-99")

    for guess in ("my-own-lantern-orchid", accounts.PASSWORD):
        owner.post(path_to(EMAIL), {"password": guess})

    assert not User.objects.exists()
    assert "account.signup.deny" in recorded(Stream.system())


def test_the_password_of_a_sign_up_cannot_be_guessed_by_the_reader_of_its_mail(client: Client) -> None:
    sign_up(client)
    reader, path = Client(), path_to(EMAIL)

    answers = [reader.post(path, {"password": f"guess-number-{number}-x"}) for number in range(6)]

    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert reader.post(path, {"password": accounts.PASSWORD}).status_code == 429


def test_the_link_is_dead_the_moment_its_day_is_over_without_any_cleaner(client: Client) -> None:
    sign_up(client)
    SignUp.objects.update(
        created_at=timezone.now() - timedelta(hours=25), expires_at=timezone.now() - timedelta(seconds=1)
    )

    assert client.post(path_to(EMAIL)).status_code == 404
    assert not User.objects.exists()


@pytest.mark.parametrize("token", ["x", "0" * 43, "%00", "\u0660" * 43, "a" * 2000])
def test_a_link_that_was_never_mailed_is_dead(client: Client, token: str) -> None:
    assert client.post(f"/accounts/signup/confirm/{token}/").status_code in {400, 404}


def test_the_first_confirmed_of_several_sign_ups_wins_and_the_others_die() -> None:
    mine, strangers = Client(), Client()
    sign_up(mine)
    my_path = path_to(EMAIL)
    sign_up(strangers, password="strangers-chosen-word-99", email=EMAIL.upper())
    their_path = path_to(EMAIL.upper().replace("NEWCUSTOMER.EXAMPLE", "newcustomer.example"))

    mine.post(my_path)
    late = strangers.post(their_path)

    assert late.status_code == 404
    assert User.objects.get().check_password(accounts.PASSWORD)
    assert set(SignUp.objects.values_list("password", flat=True)) == {""}


def test_an_account_that_came_to_be_meanwhile_is_left_alone(client: Client) -> None:
    sign_up(client)
    owner = accounts.staff(email=EMAIL)

    response = client.post(path_to(EMAIL))

    assert response.status_code == 404
    assert User.objects.get() == owner


def test_nothing_of_the_sign_up_stays_in_the_session_after_it(client: Client) -> None:
    sign_up(client)

    client.post(path_to(EMAIL))

    assert set(client.session.keys()) == {pending.SESSION_KEY}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [1, 3])
def test_parallel_confirmations_make_one_account(count: int) -> None:
    """Of one link posted eight times, and of three links of one address."""
    browsers = [Client() for _ in range(count)]
    paths = []
    for browser in browsers:
        sign_up(browser)
        paths.append((browser, path_to(EMAIL)))
    attempts = paths * (8 // len(paths))

    def confirm(attempt: tuple[Client, str]) -> int:
        try:
            browser = Client()
            browser.cookies = attempt[0].cookies
            return browser.post(attempt[1]).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(attempts)) as pool:
        statuses = list(pool.map(confirm, attempts))

    assert sorted(statuses) == [302] + [404] * (len(attempts) - 1)
    assert User.objects.count() == 1
    assert Membership.objects.count() == 1
    assert kinds_to(EMAIL).count("accounts.confirm_address") == len(paths)


def test_a_dead_link_is_on_record_once_a_while(client: Client) -> None:
    for letter in "abcdefghij":
        assert client.get(f"/accounts/signup/confirm/{letter * 43}/").status_code == 404

    assert recorded(Stream.system()) == ["account.signup.deny"]

"""Asking for an account: what the form takes, and how little it tells."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.identity.models import SignUp, User
from kellexa_portal.audit import Stream
from kellexa_portal.mail.models import OutboxMail
from tests.accounts.identity.mailbox import kinds_to, texts_to
from tests.accounts.identity.wishes import EMAIL, SIGNUP, sign_up, wish
from tests.factories import accounts
from tests.factories.audit_support import recorded

pytestmark = pytest.mark.django_db


def test_the_form_carries_the_fields_and_the_button_of_the_contract(client: Client) -> None:
    page = client.get(SIGNUP).content.decode()

    for field in ("name", "email", "organization_name", "password", "time_zone"):
        assert f'name="{field}"' in page
    assert "Create account" in page
    assert "data-password-strength" in page


def test_a_sign_up_makes_no_account_before_the_mail_is_answered(client: Client) -> None:
    response = sign_up(client)

    assert response.status_code == 302
    assert response["Location"] == "/accounts/signup/sent/"
    assert not User.objects.exists()
    assert kinds_to(EMAIL) == ["accounts.confirm_address"]
    assert recorded(Stream.system()) == ["account.signup.start"]


def test_the_next_page_names_the_address_that_was_written_to(client: Client) -> None:
    response = client.post(SIGNUP, wish(), follow=True)

    assert response.status_code == 200
    assert EMAIL in response.content.decode()


def test_the_mail_to_an_account_holds_no_link_that_acts(client: Client) -> None:
    accounts.user(email=EMAIL)

    sign_up(client)

    (text,) = texts_to(EMAIL)
    assert "/accounts/login/" in text
    assert "/accounts/password/reset/" in text
    assert "confirm" not in text


def test_no_mail_repeats_what_a_stranger_typed(client: Client) -> None:
    sign_up(client, name="Win a prize at evil.example", organization_name="Click http evil.example")

    (text,) = texts_to(EMAIL)
    assert "evil" not in text


@pytest.mark.parametrize(
    "typed", ["Robin@NewCustomer.example", " robin@newcustomer.example ", "ｒobin@newcustomer.example"]
)
def test_spellings_of_one_address_are_one_address(client: Client, typed: str) -> None:
    accounts.user(email=EMAIL)

    sign_up(client, email=typed)

    assert kinds_to(EMAIL) == ["accounts.already_registered"]
    assert OutboxMail.objects.count() == 1


def test_a_stranger_cannot_fill_a_mailbox_and_is_not_told(client: Client) -> None:
    answers = [sign_up(Client(), ip=f"203.0.113.{number}") for number in range(6)]

    assert {answer.status_code for answer in answers} == {302}
    assert kinds_to(EMAIL) == ["accounts.confirm_address"] * 3


def test_a_stranger_cannot_fill_an_owners_mailbox_either(client: Client) -> None:
    accounts.user(email=EMAIL)

    for number in range(6):
        sign_up(Client(), ip=f"203.0.113.{number}", email=EMAIL.upper())

    assert kinds_to(EMAIL) == ["accounts.already_registered"] * 3


def test_what_was_typed_is_kept_and_the_password_is_not(client: Client) -> None:
    response = sign_up(client, email="no address")

    page = response.content.decode()
    assert response.status_code == 422
    assert "Sample Works" in page
    assert "no address" in page
    assert accounts.PASSWORD not in page


def test_the_password_is_stored_hashed_only(client: Client) -> None:
    sign_up(client)

    assert accounts.PASSWORD not in str(SignUp.objects.values().get())
    assert SignUp.objects.get().password.startswith("argon2")


@pytest.mark.parametrize("zone", ["../../etc/passwd", "Mars/Phobos", "x" * 64, "europe/lisbon\n"])
def test_a_time_zone_that_is_none_becomes_utc(client: Client, zone: str) -> None:
    sign_up(client, time_zone=zone)

    assert SignUp.objects.get().time_zone == "UTC"


def test_the_page_is_not_cached(client: Client) -> None:
    assert "no-store" in client.get(SIGNUP)["Cache-Control"]

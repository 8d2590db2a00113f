"""One spelling for every address and name."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts.identity import rules
from tests.factories import accounts


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("robin@customer.example", "robin@customer.example"),
        (" Robin.S@Customer.EXAMPLE ", "Robin.S@customer.example"),
        ("robin@bücher.example", "robin@xn--bcher-kva.example"),
        ("ｒobin＠customer．example", "robin@customer.example"),
        ("\u017fam@customer.example", "sam@customer.example"),
    ],
)
def test_an_address_is_stored_as_it_is_mailed(typed: str, stored: str) -> None:
    assert rules.clean_email(typed) == stored


@pytest.mark.parametrize(
    "typed", ["rob\u0131n@customer.example", "róbin@customer.example", "a@" + "x" * 300, "ﷺ" * 100]
)
def test_an_address_that_could_pass_for_another_is_none(typed: str) -> None:
    with pytest.raises(ValueError, match=r"ASCII|long"):
        rules.clean_email(typed)


@pytest.mark.parametrize("control", ["\x01", "\x1f", "\x7f"])
def test_a_quoted_control_character_is_no_address(control: str) -> None:
    """Django's validator admits it by the grammar, the database does not."""
    with pytest.raises(ValueError, match="printable"):
        rules.clean_email(f'"a{control}b"@customer.example')


@pytest.mark.parametrize("typed", ["", "@", "x", "a@..", "\ud800@x", "ﷺ" * 500, "a@" + "ß" * 250])
def test_whatever_is_typed_can_be_counted(typed: str) -> None:
    assert len(rules.canonical_email(typed)) <= 20 * rules.MAX_EMAIL_LENGTH


@pytest.mark.parametrize("name", ["UTC", "Europe/Lisbon", "Pacific/Chatham"])
def test_real_time_zones_are_kept(name: str) -> None:
    assert rules.known_time_zone(name) == name


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["Robin@customer.example", "rob\u0131n@customer.example", "no address"])
def test_the_database_refuses_a_second_account_and_a_look_alike(email: str) -> None:
    accounts.user(email="robin@customer.example")

    with pytest.raises(IntegrityError), transaction.atomic():
        accounts.user(email=email)


@pytest.mark.django_db
def test_an_account_says_nothing_of_its_person() -> None:
    user = accounts.user()

    assert str(user) == str(user.public_id)

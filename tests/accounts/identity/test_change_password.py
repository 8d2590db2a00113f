"""Changing the own password."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.identity.access import NotPermittedError
from accounts.identity.actions.passwords import change_password, request_reset
from accounts.identity.models import PasswordReset, PendingSignIn, User
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from tests.accounts.identity.mailbox import kinds_to, texts_to
from tests.factories import accounts
from tests.factories.audit_support import recorded
from tests.factories.sign_in import sign_in

pytestmark = pytest.mark.django_db

PAGE = "/accounts/password/"
NEW = "copper-thistle-monsoon-41"


@pytest.fixture
def user() -> User:
    return accounts.user()


@pytest.fixture
def mine(user: User) -> Client:
    browser = Client()
    sign_in(browser, user)
    return browser


def _change(client: Client, password: str = accounts.PASSWORD, new_password: str = NEW):
    return client.post(PAGE, {"password": password, "new_password": new_password})


def test_the_form_carries_the_fields_and_the_button_of_the_contract(mine: Client) -> None:
    page = mine.get(PAGE).content.decode()

    assert 'autocomplete="current-password"' in page
    assert 'autocomplete="new-password"' in page
    assert "New password" in page
    assert "Change password" in page


def test_a_changed_password_is_the_only_one(mine: Client, user: User) -> None:
    response = _change(mine)

    assert response["Location"] == PAGE
    user.refresh_from_db()
    assert user.check_password(NEW)
    assert not user.check_password(accounts.PASSWORD)
    assert "account.password.change" in recorded(Stream.user(user.public_id))


def test_half_sign_ins_and_reset_links_of_the_old_password_die(mine: Client, user: User) -> None:
    half = Client()
    half.post("/accounts/login/", {"email": user.email, "password": accounts.PASSWORD})
    request_reset(actor=Actor.anonymous(), email=user.email)

    _change(mine)

    assert not PendingSignIn.objects.exists()
    assert not PasswordReset.objects.filter(spent_at=None).exists()


def test_the_owner_is_told_by_mail(mine: Client, user: User) -> None:
    _change(mine)

    (text,) = texts_to(user.email)
    assert kinds_to(user.email) == ["accounts.password_changed"]
    assert "/accounts/lockdown/" in text
    assert NEW not in text


def test_a_wrong_current_password_changes_nothing_and_is_on_record(mine: Client, user: User) -> None:
    response = _change(mine, password="not-the-right-words-1")

    assert response.status_code == 422
    user.refresh_from_db()
    assert user.check_password(accounts.PASSWORD)
    assert "account.password.fail" in recorded(Stream.user(user.public_id))


def test_the_current_password_cannot_be_guessed_from_an_open_session(mine: Client) -> None:
    answers = [_change(mine, password=f"not-the-right-words-{number}").status_code for number in range(6)]

    assert answers == [422] * 5 + [429]
    assert _change(mine).status_code == 429


@pytest.mark.parametrize(
    "new", ["short", "passwordpassword", "my kellexa quarry lantern", "", "x" * 257, accounts.PASSWORD]
)
def test_a_bad_new_password_is_refused_and_not_shown_again(mine: Client, user: User, new: str) -> None:
    response = _change(mine, new_password=new)

    assert response.status_code == 422
    if new:
        assert f'value="{new}"' not in response.content.decode()
    user.refresh_from_db()
    assert user.check_password(accounts.PASSWORD)


def test_strangers_are_sent_to_sign_in(client: Client) -> None:
    assert _change(client)["Location"].startswith("/accounts/login/")


def test_staff_change_their_own_password(client: Client) -> None:
    person = accounts.staff()
    sign_in(client, person)

    _change(client)

    person.refresh_from_db()
    assert person.check_password(NEW)


def test_the_page_is_never_stored(mine: Client) -> None:
    assert "no-store" in mine.get(PAGE)["Cache-Control"]


def test_password_managers_find_the_page(client: Client) -> None:
    response = client.get("/.well-known/change-password")

    assert response.status_code == 302
    assert response["Location"] == PAGE


def test_nobody_changes_anothers_password_even_knowing_it(user: User) -> None:
    """The action itself asks: an administrator of the staff may shut an account, never enter it."""
    others = [accounts.staff(), accounts.user(email="other@customer.example")]

    for other in others:
        with pytest.raises(NotPermittedError):
            change_password(
                actor=Actor.of(other), user=user, current=accounts.PASSWORD, new=NEW, session_key=""
            )

    user.refresh_from_db()
    assert user.check_password(accounts.PASSWORD)

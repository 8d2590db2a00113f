"""Resetting a password by mail: nobody learns who has an account, and no second factor is lost."""

from __future__ import annotations

import pytest
from django.test import Client

from kellexa_portal.audit import Stream
from tests.accounts.identity.mailbox import kinds_to, path_to, texts_to
from tests.factories import accounts
from tests.factories.audit_support import recorded

pytestmark = pytest.mark.django_db

RESET = "/accounts/password/reset/"
EMAIL = "robin@customer.example"
NEW = "copper-thistle-monsoon-41"


def _ask(client: Client, email: str = EMAIL, *, ip: str = "203.0.113.5", **headers: str):
    return client.post(RESET, {"email": email}, REMOTE_ADDR=ip, **headers)


def _set(client: Client, path: str, new_password: str = NEW):
    return client.post(path, {"new_password": new_password})


def test_looking_at_the_link_changes_nothing(client: Client) -> None:
    accounts.user(email=EMAIL)
    _ask(client)

    pages = [client.get(path_to(EMAIL)) for _ in range(3)]

    assert {page.status_code for page in pages} == {200}
    assert "Set password" in pages[0].content.decode()
    assert 'autocomplete="new-password"' in pages[0].content.decode()
    assert "no-store" in pages[0]["Cache-Control"]
    assert pages[0]["Referrer-Policy"] == "same-origin"


def test_the_link_sets_the_password_and_signs_nobody_in(client: Client) -> None:
    user = accounts.user(email=EMAIL)
    _ask(client)

    response = _set(client, path_to(EMAIL))

    assert response["Location"] == "/accounts/login/"
    assert "_auth_user_id" not in client.session
    assert "pending_sign_in" not in client.session
    user.refresh_from_db()
    assert user.check_password(NEW)
    names = recorded(Stream.user(user.public_id))
    assert names[0] == "account.password.reset_request"
    assert "account.password.reset" in names


def test_the_owner_is_told_by_mail(client: Client) -> None:
    accounts.user(email=EMAIL)
    _ask(client)

    _set(client, path_to(EMAIL))

    assert kinds_to(EMAIL) == ["accounts.password_reset", "accounts.password_changed"]


def test_a_reset_lets_the_owner_in_whom_strangers_had_slowed_down(client: Client) -> None:
    accounts.user(email=EMAIL)
    for number in range(7):
        Client().post(
            "/accounts/login/", {"email": EMAIL, "password": "wrong"}, REMOTE_ADDR=f"203.0.113.{number}"
        )
    _ask(client)
    _set(client, path_to(EMAIL))

    response = client.post("/accounts/login/", {"email": EMAIL, "password": NEW}, REMOTE_ADDR="198.51.100.1")

    assert response.status_code == 302


@pytest.mark.parametrize("new", ["", "short", "passwordpassword", "robin quarry lantern orchid", "x" * 257])
def test_the_rules_hold_here_too_and_the_link_survives_a_refusal(client: Client, new: str) -> None:
    accounts.user(email=EMAIL)
    _ask(client)
    path = path_to(EMAIL)

    assert _set(client, path, new).status_code == 422
    assert _set(client, path).status_code == 302


def test_the_present_password_is_refused_and_the_link_survives(client: Client) -> None:
    """After a lock-down the present password is the thief's: a reset that kept it would reset nothing."""
    user = accounts.user(email=EMAIL)
    _ask(client)
    path, epoch = path_to(EMAIL), user.security_epoch

    refused = _set(client, path, accounts.PASSWORD)

    user.refresh_from_db()
    assert refused.status_code == 422
    assert "differs from the current one" in refused.content.decode()
    assert user.security_epoch == epoch
    assert _set(client, path).status_code == 302


def test_a_stranger_cannot_fill_a_mailbox_and_is_not_told() -> None:
    accounts.user(email=EMAIL)

    answers = [_ask(Client(), ip=f"203.0.113.{number}") for number in range(6)]

    assert {answer.status_code for answer in answers} == {302}
    assert kinds_to(EMAIL) == ["accounts.password_reset"] * 3


def test_staff_reset_like_anybody(client: Client) -> None:
    person = accounts.staff(email="sam@staff.example")
    _ask(client, person.email)

    assert _set(client, path_to(person.email)).status_code == 302


def test_a_spent_link_opened_again_is_on_record_for_its_account(client: Client) -> None:
    user = accounts.user(email=EMAIL)
    _ask(client)
    path = path_to(EMAIL)
    _set(client, path)

    client.get(path)

    assert recorded(Stream.user(user.public_id))[-1] == "account.password.reset_deny"


def test_links_made_up_by_the_thousand_do_not_fill_the_record(client: Client) -> None:
    for letter in "abcdefghij":
        assert client.get(f"/accounts/password/reset/{letter * 43}/").status_code == 404

    assert recorded(Stream.system()) == ["account.password.reset_deny"]


def test_the_sentences_of_the_mail_are_whole(client: Client) -> None:
    """A zone that this system does not know ends as UTC, not as an error."""
    accounts.user(email=EMAIL, time_zone="no/zone")

    _ask(client)

    (text,) = texts_to(EMAIL)
    assert "The link works once, for 1 hour. Setting" in " ".join(text.split())
    assert "UTC" in text

"""The password page: one answer to every wrong attempt, and half a sign-in to a right one."""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client, override_settings

from accounts.identity import passwords
from accounts.identity.models import PendingSignIn, User
from kellexa_portal.audit import Stream
from tests.factories import accounts
from tests.factories.audit_support import recorded
from tests.factories.sign_in import sign_in

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"
EMAIL = "robin@customer.example"
WRONG = "not-the-right-words-1"
OLD_AND_NEW = ["tests.hashers.QuickArgon2PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]


def _post(
    client: Client, email: str = EMAIL, password: str = accounts.PASSWORD, *, ip: str = "203.0.113.5", **more
):
    return client.post(LOGIN, {"email": email, "password": password, **more}, REMOTE_ADDR=ip)


def test_the_form_carries_the_fields_and_the_button_of_the_contract(client: Client) -> None:
    page = client.get(LOGIN).content.decode()

    assert 'name="email"' in page
    assert 'autocomplete="username webauthn"' in page
    assert 'name="password"' in page
    assert 'autocomplete="current-password"' in page
    assert "Sign in" in page
    assert "maxlength" not in page.split('name="password"')[1].split(">")[0]


def test_a_right_password_begins_half_a_sign_in_and_no_session(client: Client) -> None:
    user = accounts.user(email=EMAIL)

    response = _post(client)

    assert response["Location"] == "/accounts/login/verify/"
    assert "_auth_user_id" not in client.session
    assert PendingSignIn.objects.get().user == user
    assert client.get("/accounts/password/").status_code == 302


@pytest.mark.parametrize(
    "typed", ["ROBIN@Customer.Example", "  robin@customer.example ", "robin＠customer.example"]
)
def test_the_address_may_be_typed_in_any_case_and_width(client: Client, typed: str) -> None:
    accounts.user(email=EMAIL)

    assert _post(client, typed).status_code == 302


def test_a_failure_is_on_record_with_the_person_whose_account_it_was(client: Client) -> None:
    user = accounts.user(email=EMAIL)

    _post(client, password=WRONG)

    assert recorded(Stream.user(user.public_id)) == ["auth.login.fail"]


def test_a_failure_without_an_account_is_on_record_without_what_was_typed(client: Client) -> None:
    _post(client, "my-password-typed-in-the-wrong-field@x.example", WRONG)

    assert recorded(Stream.system()) == ["auth.login.fail"]


def test_a_password_longer_than_any_is_refused_before_it_is_hashed(client: Client, monkeypatch) -> None:
    accounts.user(email=EMAIL)
    monkeypatch.setattr(passwords.hashers, "make_password", _never)
    monkeypatch.setattr(passwords.hashers, "check_password", _never)

    assert _post(client, password="x" * 257).status_code == 422
    assert _post(client, password="x" * 500_000).status_code == 422


def _never(*args: object, **kwargs: object) -> None:
    raise AssertionError("hashed")


def test_a_path_of_this_site_is_kept_as_the_next_page(client: Client) -> None:
    accounts.user(email=EMAIL)
    wanted = "/accounts/keys/?state=live"

    client.post(LOGIN, {"email": EMAIL, "password": accounts.PASSWORD, "next": wanted})

    assert PendingSignIn.objects.get().next_url == wanted


def test_the_next_page_survives_a_wrong_password(client: Client) -> None:
    response = client.post(LOGIN + "?next=/accounts/keys/", {"email": EMAIL, "password": WRONG})

    assert 'name="next" value="/accounts/keys/"' in response.content.decode()


def test_a_signed_in_visitor_is_sent_home(client: Client) -> None:
    sign_in(client, accounts.user(email=EMAIL))

    assert client.get(LOGIN)["Location"] == "/accounts/"
    assert client.get(LOGIN + "?next=/accounts/password/")["Location"] == "/accounts/password/"
    assert client.get(LOGIN + "?next=//evil.example")["Location"] == "/accounts/"
    assert client.get("/accounts/signup/")["Location"] == "/accounts/"


def test_signed_in_staff_are_sent_to_their_own_home(client: Client) -> None:
    sign_in(client, accounts.staff())

    assert client.get(LOGIN)["Location"] == "/admin/"


def test_an_old_hash_is_upgraded_when_it_matches(client: Client) -> None:
    with override_settings(PASSWORD_HASHERS=OLD_AND_NEW):
        user = accounts.user(email=EMAIL, has_old_hash=True)
        _post(client, password=WRONG)
        unchanged = User.objects.get(pk=user.pk).password
        _post(client)

    assert unchanged == user.password
    assert User.objects.get(pk=user.pk).password.startswith("argon2")


def test_an_upgrade_never_undoes_a_change_of_password_under_way() -> None:
    user = accounts.user(email=EMAIL)
    with override_settings(PASSWORD_HASHERS=OLD_AND_NEW):
        user.password = make_password(accounts.PASSWORD, hasher="pbkdf2_sha256")
        changed = User.objects.get(pk=user.pk).password

        assert passwords.proves(user, accounts.PASSWORD)

    assert User.objects.get(pk=user.pk).password == changed


def test_unicode_passwords_are_the_same_from_every_keyboard(client: Client) -> None:
    accounts.user(email=EMAIL, password="na\u00efve caf\u00e9 quarry 龍 orchid")

    assert _post(client, password="nai\u0308ve cafe\u0301 quarry 龍 orchid").status_code == 302


def test_spaces_around_a_password_count(client: Client) -> None:
    accounts.user(email=EMAIL, password=f" {accounts.PASSWORD} ")

    assert _post(Client()).status_code == 422
    assert _post(client, password=f" {accounts.PASSWORD} ").status_code == 302


def test_a_form_without_csrf_token_is_refused() -> None:
    accounts.user(email=EMAIL)

    assert _post(Client(enforce_csrf_checks=True)).status_code == 403

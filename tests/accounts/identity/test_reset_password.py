"""Resetting a password by mail: nobody learns who has an account, and no second factor is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from statistics import median
from time import perf_counter

import pytest
from django.db import connections
from django.http import HttpResponse
from django.test import Client, override_settings
from django.utils import timezone

from accounts.identity import known_browser
from accounts.identity.models import PasswordReset, PendingSignIn, User
from accounts.mfa.models import TotpDevice
from kellexa_portal.audit import Stream
from kellexa_portal.mail.models import OutboxMail
from tests.accounts.identity.mailbox import kinds_to, link_to, path_to, texts_to
from tests.factories import accounts
from tests.factories.audit_support import recorded
from tests.factories.sign_in import sign_in

pytestmark = pytest.mark.django_db

RESET = "/accounts/password/reset/"
EMAIL = "robin@customer.example"
NEW = "copper-thistle-monsoon-41"


def _ask(client: Client, email: str = EMAIL, *, ip: str = "203.0.113.5", **headers: str):
    return client.post(RESET, {"email": email}, REMOTE_ADDR=ip, **headers)


def _set(client: Client, path: str, new_password: str = NEW):
    return client.post(path, {"new_password": new_password})


def test_the_answer_is_the_same_whoever_is_asked_for() -> None:
    accounts.user(email=EMAIL)
    accounts.user(email="gone@customer.example", is_inactive=True)
    accounts.user(email="none@customer.example", has_no_password=True)
    accounts.staff(email="sam@staff.example")
    who = [
        EMAIL,
        "gone@customer.example",
        "none@customer.example",
        "sam@staff.example",
        "nobody@customer.example",
    ]

    answers = [_ask(Client(), email) for email in who]

    assert {(answer.status_code, answer["Location"], answer.content) for answer in answers} == {
        (302, "/accounts/password/reset/sent/", b"")
    }
    assert set(OutboxMail.objects.values_list("recipient", flat=True)) == {
        EMAIL,
        "none@customer.example",
        "sam@staff.example",
    }


@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.Argon2PasswordHasher"])
def test_the_answer_takes_about_the_same_time_whoever_is_asked_for() -> None:
    took: dict[bool, list[float]] = {True: [], False: []}

    for number in range(8):
        is_known = number % 2 == 0
        email = f"person{number}@customer.example"
        if is_known:
            accounts.user(email=email)
        begun = perf_counter()
        _ask(Client(), email, ip=f"198.51.100.{number}")
        took[is_known].append(perf_counter() - begun)

    known, unknown = median(took[True]), median(took[False])
    assert 0.5 < known / unknown < 2


def test_the_mail_goes_to_the_stored_address_only() -> None:
    accounts.user(email=EMAIL)

    _ask(Client(), "ＲOBIN@customer.example")
    _ask(Client(), "rob\u0131n@customer.example")

    assert list(OutboxMail.objects.values_list("recipient", flat=True)) == [EMAIL]


@pytest.mark.parametrize(
    "body",
    [
        f"email={EMAIL}&email=evil@evil.example",
        f"email=evil@evil.example&email={EMAIL}",
        f"email[]={EMAIL}&email[]=evil@evil.example",
        f"email={EMAIL},evil@evil.example",
        f"email={EMAIL}%0d%0aBcc:evil@evil.example",
        f"email={EMAIL};evil@evil.example",
    ],
)
def test_a_second_address_gets_nothing(client: Client, body: str) -> None:
    accounts.user(email=EMAIL)

    response = client.post(RESET, body, content_type="application/x-www-form-urlencoded")

    assert response.status_code in {302, 422}
    assert set(OutboxMail.objects.values_list("recipient", flat=True)) <= {EMAIL}
    assert OutboxMail.objects.count() <= 1
    assert not any("evil" in text for text in texts_to(EMAIL))


def test_a_json_array_of_addresses_is_no_form(client: Client) -> None:
    accounts.user(email=EMAIL)

    response = client.post(
        RESET, f'{{"email": ["{EMAIL}", "evil@evil.example"]}}', content_type="application/json"
    )

    assert response.status_code == 422
    assert not OutboxMail.objects.exists()


def test_the_link_leads_to_the_configured_host_whatever_host_was_asked(client: Client, settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    accounts.user(email=EMAIL)

    _ask(
        client,
        HTTP_HOST="evil.example",
        HTTP_X_FORWARDED_HOST="evil.example",
        HTTP_FORWARDED="host=evil.example",
    )

    assert link_to(EMAIL).startswith(settings.PUBLIC_URL)
    assert "evil.example" not in texts_to(EMAIL)[0]


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


def test_the_link_works_once(client: Client) -> None:
    user = accounts.user(email=EMAIL)
    _ask(client)
    path = path_to(EMAIL)
    _set(client, path)

    again = _set(client, path, "granite-meadow-violin-63")

    assert again.status_code == 404
    assert client.get(path).status_code == 404
    user.refresh_from_db()
    assert user.check_password(NEW)


def test_every_other_link_dies_with_the_first_used(client: Client) -> None:
    accounts.user(email=EMAIL)
    _ask(client)
    first = path_to(EMAIL)
    _ask(client)

    _set(client, path_to(EMAIL))

    assert _set(client, first).status_code == 404


def test_the_link_dies_after_an_hour_without_any_cleaner(client: Client) -> None:
    user = accounts.user(email=EMAIL)
    _ask(client)
    reset = PasswordReset.objects.get()
    assert reset.expires_at - reset.created_at == pytest.approx(timedelta(hours=1), abs=timedelta(seconds=5))
    PasswordReset.objects.update(
        created_at=timezone.now() - timedelta(hours=1, seconds=1),
        expires_at=timezone.now() - timedelta(seconds=1),
    )

    assert _set(client, path_to(EMAIL)).status_code == 404
    user.refresh_from_db()
    assert user.check_password(accounts.PASSWORD)


@pytest.mark.parametrize("change", [{"security_epoch": 9}, {"is_active": False}])
def test_the_link_dies_when_the_account_is_secured(client: Client, change: dict[str, object]) -> None:
    accounts.user(email=EMAIL)
    _ask(client)
    User.objects.update(**change)

    assert client.get(path_to(EMAIL)).status_code == 404
    assert _set(client, path_to(EMAIL)).status_code == 404


@pytest.mark.parametrize("token", ["", "x/", "0" * 43 + "/", "\u0660" * 43 + "/", "None/", "set-password/"])
def test_no_password_is_set_without_a_link(client: Client, token: str) -> None:
    user = accounts.user(email=EMAIL)
    _ask(client)

    response = client.post(
        RESET + token, {"new_password": NEW, "user": user.pk, "uid": str(user.public_id), "token": ""}
    )

    assert response.status_code in {400, 404, 422}
    user.refresh_from_db()
    assert user.check_password(accounts.PASSWORD)


def test_a_reset_ends_sessions_half_sign_ins_and_known_browsers_and_keeps_the_factor(client: Client) -> None:
    user = accounts.user(email=EMAIL)
    mine, half, marked = Client(), Client(), HttpResponse()
    sign_in(mine, user)
    half.post("/accounts/login/", {"email": EMAIL, "password": accounts.PASSWORD})
    known_browser.mark(marked, user)
    _ask(client)

    _set(client, path_to(EMAIL))

    user.refresh_from_db()
    assert mine.get("/accounts/password/").status_code == 302
    assert not PendingSignIn.objects.exists()
    cookies = {name: cookie.value for name, cookie in marked.cookies.items()}
    assert known_browser.BrowserCookies(cookies).id_for(user) == ""
    assert TotpDevice.objects.filter(user=user).count() == 1


def test_after_a_reset_the_second_factor_is_still_asked_for(client: Client) -> None:
    user = accounts.user(email=EMAIL)
    sign_in(Client(), user)
    _ask(client)
    _set(client, path_to(EMAIL))

    response = client.post("/accounts/login/", {"email": EMAIL, "password": NEW})

    assert response["Location"] == "/accounts/login/verify/"
    assert client.get("/accounts/password/").status_code == 302


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


def test_a_stranger_cannot_fill_a_mailbox_and_is_not_told() -> None:
    accounts.user(email=EMAIL)

    answers = [_ask(Client(), ip=f"203.0.113.{number}") for number in range(6)]

    assert {answer.status_code for answer in answers} == {302}
    assert kinds_to(EMAIL) == ["accounts.password_reset"] * 3


def test_one_network_cannot_ask_for_the_whole_world(client: Client) -> None:
    answers = [
        _ask(client, f"person{number}@customer.example", ip=f"2001:db8::{number:x}") for number in range(21)
    ]

    assert [answer.status_code for answer in answers] == [302] * 20 + [429]


def test_staff_reset_like_anybody(client: Client) -> None:
    person = accounts.staff(email="sam@staff.example")
    _ask(client, person.email)

    assert _set(client, path_to(person.email)).status_code == 302


def test_posted_privileges_are_ignored(client: Client) -> None:
    user = accounts.user(email=EMAIL)
    _ask(client)

    client.post(path_to(EMAIL), {"new_password": NEW, "is_staff": "on", "email": "evil@evil.example"})

    user.refresh_from_db()
    assert (user.email, user.is_staff) == (EMAIL, False)


@pytest.mark.django_db(transaction=True)
def test_two_uses_of_links_at_once_set_one_password() -> None:
    user = accounts.user(email=EMAIL)
    paths = []
    for _ in range(2):
        _ask(Client())
        paths.append(path_to(EMAIL))

    def use(number: int) -> int:
        try:
            return _set(Client(), paths[number % 2], f"granite-meadow-violin-{number}").status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(use, range(6)))

    user.refresh_from_db()
    assert sorted(statuses) == [302] + [404] * 5
    assert user.check_password(f"granite-meadow-violin-{statuses.index(302)}")


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

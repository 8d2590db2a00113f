"""Attacks on the password step, through HTTP as a stranger has it."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.identity import known_browser
from accounts.identity.models import PasswordReset, PendingSignIn, User
from kellexa_portal.mail.models import OutboxMail
from tests.accounts.attacks.stranger import (
    LOGIN,
    NEW_PASSWORD,
    RESET,
    SIGNUP,
    VERIFY,
    WRONG,
    deactivated,
    guess,
    has_password,
    is_signed_in,
    known_browser_of,
)
from tests.accounts.identity.mailbox import kinds_to, path_to
from tests.accounts.identity.wishes import wish
from tests.factories import credentials, organizations
from tests.factories.sign_in import PASSWORD, enrolled, new_person, oathtool, prove_password

pytestmark = pytest.mark.django_db

EMAIL = "robin@customer.example"
HEADERS = {
    "X-Forwarded-For": "198.51.100.{}",
    "X-Forwarded-For, several": "198.51.100.{}, 192.0.2.1",
    "X-Forwarded-For, garbage": "198.51.100.{}, garbage",
    "X-Forwarded-For, ours": "127.0.0.{}",
    "X-Real-IP": "198.51.100.{}",
    "Forwarded": "for=198.51.100.{}",
    "X-Client-IP": "198.51.100.{}",
    "True-Client-IP": "198.51.100.{}",
    "CF-Connecting-IP": "198.51.100.{}",
    "X-Original-Forwarded-For": "198.51.100.{}",
}


@pytest.fixture
def robin() -> User:
    return new_person(EMAIL)


# --- Guesses --------------------------------------------------------------------------------------


def test_the_sixth_guess_from_unknown_browsers_is_refused_whatever_it_is(robin: User) -> None:
    """Case 10 (Zitadel CVE-2024-32868): over browsers and networks; a right password is no way out."""
    guesses = [guess(Client(), EMAIL, ip=f"203.0.113.{number}") for number in range(6)]

    assert guesses == [422] * 5 + [429]
    assert guess(Client(), EMAIL, PASSWORD, ip="198.51.100.9") == 429


def test_strangers_lock_no_known_browser_out(robin: User) -> None:
    """Case 13 (allauth 65.20.1): their failures spend a budget that a browser of the owner does not use."""
    mine = known_browser_of(robin)
    for number in range(30):
        guess(Client(), EMAIL, ip=f"203.0.113.{number}")

    assert guess(mine, EMAIL, PASSWORD, ip="198.51.100.1") == 302


def test_a_stranger_does_not_pass_for_a_known_browser(robin: User) -> None:
    """Case 13 (allauth 65.20.1): a mark that was altered, or is another account's, buys no second budget."""
    mine, other = known_browser_of(robin), "other@customer.example"
    theirs = known_browser_of(new_person(other))
    name = known_browser.cookie_name(robin)
    forged = Client()
    forged.cookies[name] = mine.cookies[name].value[:-3] + "xyz"
    renamed = Client()
    renamed.cookies[name] = next(
        cookie.value for key, cookie in theirs.cookies.items() if key.startswith("known-")
    )
    tried = [forged, theirs, renamed] * 2

    guesses = [guess(browser, EMAIL, ip=f"203.0.113.{number}") for number, browser in enumerate(tried)]

    assert guesses == [422] * 5 + [429]


def test_a_mark_from_before_a_reset_buys_no_guesses(robin: User) -> None:
    """Case 13 (allauth 65.20.1): whoever stole the mark loses it when its owner secures the account."""
    stolen = known_browser_of(robin)
    Client().post(RESET, {"email": EMAIL})
    Client().post(path_to(EMAIL), {"new_password": NEW_PASSWORD})

    guesses = [guess(stolen, EMAIL, ip=f"203.0.113.{number}") for number in range(6)]

    assert guesses == [422] * 5 + [429]


@pytest.mark.parametrize(
    "variants",
    [
        ["robin@customer.example", "ROBIN@customer.example", "robin@CUSTOMER.example"],
        ["robin@customer.example", " robin@customer.example ", "ｒｏｂｉｎ@customer.example"],
        ["robin＠customer.example", "RoBiN@Customer.Example", "robin@customer.example\t"],
    ],
    ids=["case", "width and space", "sign"],
)
@pytest.mark.parametrize("has_account", [True, False], ids=["known", "unknown"])
def test_another_spelling_of_an_address_gets_no_budget_of_its_own(
    variants: list[str], *, has_account: bool
) -> None:
    """Case 15 (allauth 65.19.4): case, width and space make no second counter."""
    if has_account:
        new_person(EMAIL)

    guesses = [guess(Client(), variants[number % 3], ip=f"203.0.113.{number}") for number in range(6)]

    assert guesses == [422] * 5 + [429]


@pytest.mark.parametrize("page", [RESET, SIGNUP])
def test_another_spelling_of_an_address_gets_no_mail_of_its_own(robin: User, page: str) -> None:
    """Case 15 (allauth 2022): three mails an hour to one mailbox, however its address is typed."""
    spellings = [EMAIL, EMAIL.upper(), f" {EMAIL} ", "ｒobin@customer.example", "Robin@Customer.Example"]

    for number, spelling in enumerate(spellings):
        answer = Client().post(page, wish(email=spelling), REMOTE_ADDR=f"203.0.113.{number}")
        assert answer.status_code == 302

    assert OutboxMail.objects.filter(recipient=EMAIL).count() == 3
    assert OutboxMail.objects.count() == 3


# --- Networks -------------------------------------------------------------------------------------


def _ask(page: str, number: int, *, ip: str = "203.0.113.5", **headers: str) -> int:
    form = wish(email=f"person{number}@customer.example", password=WRONG if page == LOGIN else PASSWORD)
    return Client().post(page, form, REMOTE_ADDR=ip, headers=headers).status_code


ADMITTED = {LOGIN: 422, RESET: 302, SIGNUP: 302}


@pytest.mark.parametrize("header", HEADERS)
def test_a_forged_forwarding_header_is_not_believed(header: str) -> None:
    """Case 16 (allauth 65.14.2, pretix CVE-2023-44463, authentik CVE-2024-47070): one network stays one."""
    name, value = header.partition(",")[0], HEADERS[header]

    tries = [_ask(LOGIN, number, **{name: value.format(number)}) for number in range(21)]

    assert tries == [422] * 20 + [429]


@pytest.mark.parametrize("page", [RESET, SIGNUP])
def test_a_forged_forwarding_header_asks_for_no_more_mail(page: str) -> None:
    """Case 16 (authentik CVE-2024-47070): nor do the other pages for strangers believe one."""
    tries = [_ask(page, number, **{"X-Forwarded-For": f"198.51.100.{number}"}) for number in range(21)]

    assert tries == [302] * 20 + [429]
    assert OutboxMail.objects.count() == (20 if page == SIGNUP else 0)


def test_a_forged_forwarding_header_opens_no_key_that_is_bound_to_a_network(client: Client) -> None:
    """Case 16 (pretix CVE-2023-44463): the address that a key is bound to cannot be claimed."""
    token = credentials.issued(allowed_networks=["192.0.2.0/24"]).token
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "192.0.2.7", "X-Real-IP": "192.0.2.7"}

    refused = client.get("/api/v1/keys/self", headers=headers, REMOTE_ADDR="198.51.100.1")
    admitted = client.get("/api/v1/keys/self", headers=headers, REMOTE_ADDR="192.0.2.7")

    assert (refused.status_code, admitted.status_code) == (401, 200)


@pytest.mark.parametrize("page", list(ADMITTED))
def test_rotation_within_one_ipv6_subnet_is_limited(page: str) -> None:
    """Case 17 (allauth 65.17): a /64 is one network, and the refusal says when to come back."""
    tries = [_ask(page, number, ip=f"2001:db8::{number:x}:{number + 7:x}") for number in range(21)]
    late = Client().post(page, wish(email="late@customer.example"), REMOTE_ADDR="2001:db8::ffff")

    assert tries == [ADMITTED[page]] * 20 + [429]
    assert late.status_code == 429
    assert int(late["Retry-After"]) > 0
    assert _ask(page, 99, ip="2001:db8:0:1::1") == ADMITTED[page]


def test_an_own_success_clears_no_failures_of_the_network(client: Client, robin: User) -> None:
    """Case 18 (allauth 2025): an account of one's own buys no further guesses at those of others."""
    tries = []
    for number in range(20):
        tries.append(guess(client, f"person{number}@customer.example"))
        if number % 5 == 0:
            assert guess(Client(), EMAIL, PASSWORD) == 302

    assert tries == [422] * 20
    assert guess(client, "one-more@customer.example") == 429


def test_the_owners_success_clears_no_guesses_of_others(robin: User) -> None:
    """Case 18 (allauth 2025): who waits for the owner to sign in gets no new budget by it."""
    for number in range(4):
        guess(Client(), EMAIL, ip=f"203.0.113.{number}")

    success = guess(Client(), EMAIL, PASSWORD, ip="198.51.100.1")
    guesses = [guess(Client(), EMAIL, ip=f"203.0.113.{number}") for number in range(10, 12)]

    assert success == 302
    assert guesses == [422, 429]


# --- Accounts that are shut -----------------------------------------------------------------------


def test_a_deactivated_account_is_not_entered_by_its_password(robin: User) -> None:
    """Case 14 (Keycloak CVE-2026-9798): nor by the second half of a sign-in that began before."""
    half, device = Client(), enrolled(robin)
    prove_password(half, robin)
    deactivated(robin)

    assert guess(Client(), EMAIL, PASSWORD) == 422
    assert half.post(VERIFY, {"code": oathtool(device.open_seed())})["Location"] == LOGIN
    assert not is_signed_in(half)
    assert not PendingSignIn.objects.filter(user=robin).exists()


def test_a_deactivated_account_is_not_entered_by_a_known_browser(robin: User) -> None:
    """Case 14 (Keycloak CVE-2026-9798)."""
    mine = known_browser_of(robin)
    deactivated(robin)

    assert guess(mine, EMAIL, PASSWORD) == 422
    assert mine.get(VERIFY)["Location"] == LOGIN


def test_a_deactivated_account_is_not_entered_by_a_reset(robin: User) -> None:
    """Case 14 (TOB-PYPI26-6): no new link is mailed, and one from before is dead."""
    Client().post(RESET, {"email": EMAIL})
    path = path_to(EMAIL)
    deactivated(robin)

    Client().post(RESET, {"email": EMAIL})

    assert kinds_to(EMAIL).count("accounts.password_reset") == 1
    assert Client().post(path, {"new_password": NEW_PASSWORD}).status_code == 404
    assert has_password(robin)
    assert not PasswordReset.objects.filter(user=robin, spent_at=None).exists()


def test_a_deactivated_account_is_not_replaced_by_a_sign_up(robin: User) -> None:
    """Case 14 (TOB-PYPI26-6): its address does not become free."""
    deactivated(robin)

    Client().post(SIGNUP, wish(email=EMAIL))

    assert "accounts.confirm_address" not in kinds_to(EMAIL)
    assert User.objects.with_email(EMAIL).count() == 1


def test_a_deactivated_persons_api_key_is_refused(client: Client, robin: User) -> None:
    """Case 14 (Keycloak CVE-2026-9798): by the portal itself and by a gateway that asks."""
    token = credentials.personal(organizations.founder(owner=robin)).token
    gateway = credentials.gateway().token
    before = client.get("/api/v1/keys/self", headers={"Authorization": f"Bearer {token}"})
    deactivated(robin)

    refused = client.get("/api/v1/keys/self", headers={"Authorization": f"Bearer {token}"})
    asked = client.post(
        "/api/v1/keys/verify", {"token": token}, headers={"Authorization": f"Bearer {gateway}"}
    )

    assert (before.status_code, refused.status_code) == (200, 401)
    assert asked.json() == {"active": False}


def test_a_budget_that_is_spent_is_not_avoided_at_another_door(robin: User) -> None:
    """Case 14 (TOB-PYPI26-6): the doors are one; the staff site's and the next page's are no others."""
    for number in range(5):
        guess(Client(), EMAIL, ip=f"203.0.113.{number}")

    for door in (f"{LOGIN}?next=/accounts/keys/", f"{LOGIN}?next=/admin/"):
        form = {"email": EMAIL, "password": PASSWORD, "username": EMAIL}
        assert Client().post(door, form, REMOTE_ADDR="198.51.100.1").status_code == 429
    staff_door = Client().post("/admin/login/", {"username": EMAIL, "password": PASSWORD})
    assert staff_door["Location"].startswith(LOGIN)
    assert not PendingSignIn.objects.exists()

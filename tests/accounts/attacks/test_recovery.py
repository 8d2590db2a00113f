"""Attacks on mailed links: who gets one, where it leads, what it opens, and what is posted along with it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client

from accounts.identity.models import PasswordReset, PendingSignIn, SignUp, User
from accounts.mfa.models import TotpDevice
from kellexa_portal.mail.models import OutboxMail
from tests.accounts.attacks.stranger import (
    LOGIN,
    NEW_CODES,
    NEW_PASSWORD,
    PASSWORD_PAGE,
    RECOVER,
    REPLACE,
    RESET,
    SCAN,
    SIGNUP,
    VERIFY,
    guess,
    has_password,
    is_signed_in,
    known_browser_of,
    shown_key,
)
from tests.accounts.credentials.pages import CREATE, typed
from tests.accounts.identity.mailbox import link_to, path_to, texts_to
from tests.accounts.identity.wishes import wish
from tests.accounts.mfa.second_step import wrong_code
from tests.factories import organizations
from tests.factories.sign_in import (
    PASSWORD,
    enrolled,
    new_person,
    oathtool,
    prove_password,
    sign_in,
    with_recovery_codes,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

EMAIL = "mike.fisher@kelvin.example"
EVIL = "evil@evil.example"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def mike() -> User:
    return new_person(EMAIL)


def _ask(client: Client, email: str = EMAIL, **headers: str) -> str:
    """Asks for a reset; answers the path of the newest link that the mailbox of ``EMAIL`` got."""
    client.post(RESET, {"email": email}, headers=headers)
    return path_to(EMAIL)


def _set(client: Client, path: str, new: str = NEW_PASSWORD) -> int:
    return client.post(path, {"new_password": new}).status_code


# --- Who gets mail --------------------------------------------------------------------------------

RECIPIENTS = (
    "to",
    "cc",
    "bcc",
    "recipient",
    "recipients",
    "email",
    "address",
    "new_email",
    "send_to",
    "mail",
)
ALONG = dict.fromkeys(RECIPIENTS, EVIL)


def _uses_recovery_code(client: Client, person: User) -> None:
    code = with_recovery_codes(person)[0]
    prove_password(client, person)
    client.post(RECOVER, {"recovery_code": code, **ALONG})


def _types_wrong_codes(client: Client, person: User) -> None:
    prove_password(client, person)
    for _ in range(4):
        client.post(VERIFY, {"code": wrong_code(enrolled(person)), **ALONG})


def _replaces_app(client: Client, person: User) -> None:
    sign_in(client, person)
    client.post(REPLACE, {"code": oathtool(enrolled(person).open_seed()), **ALONG})
    client.post(SCAN, {"code": oathtool(shown_key(client, SCAN)), **ALONG})


def _renews_codes(client: Client, person: User) -> None:
    sign_in(client, person)
    client.post(NEW_CODES, {"code": oathtool(enrolled(person).open_seed()), **ALONG})


def _changes_password(client: Client, person: User) -> None:
    sign_in(client, person)
    client.post(PASSWORD_PAGE, {"password": PASSWORD, "new_password": NEW_PASSWORD, **ALONG})


def _resets_password(client: Client, person: User) -> None:
    client.post(RESET, {"email": person.email, **{name: EVIL for name in RECIPIENTS if name != "email"}})
    client.post(path_to(person.email), {"new_password": NEW_PASSWORD, **ALONG})


def _creates_key(client: Client, person: User) -> None:
    organizations.founder(owner=person)
    sign_in(client, person)
    client.post(CREATE, typed(**ALONG))


MAILING = [
    _uses_recovery_code,
    _types_wrong_codes,
    _replaces_app,
    _renews_codes,
    _changes_password,
    _resets_password,
    _creates_key,
]


@pytest.mark.parametrize("act", MAILING, ids=[act.__name__.lstrip("_") for act in MAILING])
def test_a_recipient_named_in_the_request_gets_nothing(client: Client, mike: User, act) -> None:
    """Case 22 (authentik GHSA-qgqp-xh8r-v73r): mail goes to the stored address of the account alone."""
    enrolled(mike)

    act(client, mike)

    mails = OutboxMail.objects.all()
    assert {mail.recipient for mail in mails} == {EMAIL}
    assert not any("evil" in text for text in texts_to(EMAIL))


@pytest.mark.parametrize(
    "body",
    [
        f"email={EMAIL}&email={EVIL}",
        f"email={EVIL}&email={EMAIL}",
        f"email[]={EMAIL}&email[]={EVIL}",
        f"email[0]={EMAIL}&email[1]={EVIL}",
        f"email={EMAIL},{EVIL}",
        f"email={EMAIL};{EVIL}",
        f"email={EMAIL}%20{EVIL}",
        f"email={EMAIL}%0d%0aBcc:{EVIL}",
        f"email={EMAIL}%0aTo:{EVIL}",
        f"email={EMAIL}%00{EVIL}",
    ],
    ids=[
        "twice",
        "twice the other way",
        "array",
        "indexed",
        "comma",
        "semicolon",
        "space",
        "CRLF",
        "LF",
        "NUL",
    ],
)
def test_a_second_address_gets_nothing(client: Client, mike: User, body: str) -> None:
    """Case 23 (GitLab CVE-2023-7028): one mail at most, to the stored address."""
    response = client.post(RESET, body, content_type=FORM)

    assert response.status_code in {302, 400, 422}
    assert set(OutboxMail.objects.values_list("recipient", flat=True)) <= {EMAIL}
    assert OutboxMail.objects.count() <= 1
    assert not any("evil" in text for text in texts_to(EMAIL))


@pytest.mark.parametrize("value", [f'["{EMAIL}", "{EVIL}"]', f'"{EMAIL}"', f'{{"0": "{EMAIL}"}}'])
@pytest.mark.parametrize("page", [RESET, SIGNUP])
def test_json_of_addresses_gets_nothing(client: Client, mike: User, value: str, page: str) -> None:
    """Case 23 (GitLab CVE-2023-7028): an array is no form."""
    response = client.post(page, f'{{"email": {value}}}', content_type="application/json")

    assert response.status_code in {415, 422}
    assert not OutboxMail.objects.exists()


LOOK_ALIKES = {
    "dotless i": "m\u0131ke.fisher@kelvin.example",
    "ligature": "mike.\ufb01sher@kelvin.example",
    "Kelvin sign": "mi\u212ae.fisher@kelvin.example",
    "Kelvin sign in the host": "mike.fisher@\u212aelvin.example",
    "Cyrillic e": "mik\u0435.fisher@kelvin.example",
    "Cyrillic host": "mike.fisher@k\u0435lvin.example",
    "long s": "mike.fi\u017fher@kelvin.example",
    "full width": "ｍｉｋｅ.fisher@kelvin.example",
    "zero-width space": "mike.\u200bfisher@kelvin.example",
    "combining mark": "mike.fi\u0323sher@kelvin.example",
    "upper case": "MIKE.FISHER@KELVIN.EXAMPLE",
}


@pytest.mark.parametrize("look_alike", LOOK_ALIKES)
def test_a_look_alike_address_gets_no_link(client: Client, mike: User, look_alike: str) -> None:
    """Case 24 (Django CVE-2019-19844): what is mailed goes to the stored address, never to the typed one."""
    for page in (RESET, SIGNUP):
        client.post(page, wish(email=LOOK_ALIKES[look_alike]))

    links = OutboxMail.objects.filter(kind="accounts.password_reset")
    assert set(links.values_list("recipient", flat=True)) <= {EMAIL}
    for sign_up in SignUp.objects.all():
        assert sign_up.email.isascii()
        assert sign_up.email != EMAIL
    assert User.objects.count() == 1


SPOOFED = {
    "Host": {"host": "evil.example"},
    "Host with a port": {"host": "evil.example:443"},
    "Host with an account": {"host": "localhost@evil.example"},
    "X-Forwarded-Host": {"x-forwarded-host": "evil.example"},
    "Forwarded": {"forwarded": "for=192.0.2.1;host=evil.example;proto=https"},
    "X-Host": {
        "x-host": "evil.example",
        "x-original-host": "evil.example",
        "x-rewrite-url": "//evil.example",
    },
    "X-Forwarded-Proto and -Port": {"x-forwarded-proto": "evil", "x-forwarded-port": "6666"},
    "Origin and Referer": {"origin": "https://evil.example", "referer": "https://evil.example/"},
}


@pytest.mark.parametrize("header", SPOOFED)
@pytest.mark.parametrize("page", [RESET, SIGNUP])
def test_a_spoofed_host_stands_in_no_link(client: Client, settings, page: str, header: str) -> None:
    """Case 25 (Zitadel CVE-2023-49097, CVE-2025-64101): the origin of a link is configured, not asked for."""
    settings.ALLOWED_HOSTS = ["*"]
    if page == RESET:
        new_person(EMAIL)

    client.post(page, wish(email=EMAIL), headers=SPOOFED[header])

    for text in texts_to(EMAIL):
        assert "evil" not in text
        assert "6666" not in text
    if texts_to(EMAIL):
        assert link_to(EMAIL).startswith(settings.PUBLIC_URL)


def test_a_host_that_is_not_configured_is_not_served(client: Client, mike: User, settings) -> None:
    """Case 25 (Zitadel CVE-2023-49097): as it is run, the spoofed request is refused before it is read."""
    settings.ALLOWED_HOSTS = ["trust.example"]

    assert client.post(RESET, {"email": EMAIL}, headers={"host": "evil.example"}).status_code == 400
    assert not OutboxMail.objects.exists()


# --- What a link opens ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token", ["", "x/", "0" * 43 + "/", "\u0660" * 43 + "/", "None/", "set-password/", "null/"]
)
def test_no_password_is_set_without_a_link(client: Client, mike: User, token: str) -> None:
    """Case 26 (Keycloak CVE-2026-18963): naming the account is no token."""
    _ask(client)
    form = {
        "new_password": NEW_PASSWORD,
        "user": mike.pk,
        "uid": str(mike.public_id),
        "token": "",
        "email": EMAIL,
    }

    response = client.post(RESET + token, form)

    assert response.status_code in {302, 400, 404, 422}
    assert has_password(mike)


@pytest.mark.parametrize("who", ["stranger", "half signed in"])
def test_no_password_is_changed_without_a_session(client: Client, mike: User, who: str) -> None:
    """Case 26 (Keycloak CVE-2026-18963): a right current password is not enough, a half sign-in neither."""
    if who != "stranger":
        enrolled(mike)
        prove_password(client, mike)

    answer = client.post(PASSWORD_PAGE, {"password": PASSWORD, "new_password": NEW_PASSWORD})

    assert answer["Location"].startswith(LOGIN)
    assert has_password(mike)


def test_a_mailed_link_used_twice_is_refused(client: Client, mike: User) -> None:
    """Case 27 (Keycloak CVE-2026-37982)."""
    path = _ask(client)
    first = _set(client, path)

    assert (first, _set(client, path, "granite-meadow-violin-63"), client.get(path).status_code) == (
        302,
        404,
        404,
    )
    assert has_password(mike, NEW_PASSWORD)


@pytest.mark.parametrize("by", ["another link", "a change of password", "a new factor"])
def test_a_mailed_link_is_refused_once_the_account_was_secured(client: Client, mike: User, by: str) -> None:
    """Case 27 (Keycloak CVE-2026-37982): a link from before is no way back in."""
    device, old = enrolled(mike), _ask(client)
    owner = Client()
    sign_in(owner, mike)
    if by == "another link":
        _set(client, _ask(client))
    elif by == "a change of password":
        owner.post(PASSWORD_PAGE, {"password": PASSWORD, "new_password": NEW_PASSWORD})
    else:
        owner.post(REPLACE, {"code": oathtool(device.open_seed())})
        owner.post(SCAN, {"code": oathtool(shown_key(owner, SCAN))})

    assert _set(client, old, "granite-meadow-violin-63") == 404
    assert not has_password(mike, "granite-meadow-violin-63")


def test_a_link_that_expired_a_second_ago_is_refused_without_any_cleaner(
    client: Client, mike: User, clock
) -> None:
    """Case 27 (Keycloak CVE-2026-37982): its hour is counted at its use."""
    path = _ask(client)
    clock.shift(timedelta(hours=1, seconds=1))

    assert _set(client, path) == 404
    assert PasswordReset.objects.filter(
        expires_at=F("created_at") + timedelta(hours=1), spent_at=None
    ).exists()


def test_a_sign_ups_link_used_twice_is_refused(client: Client) -> None:
    """Case 27 (Keycloak CVE-2026-37982): nor does a second one for the address work beside the first."""
    client.post(SIGNUP, wish(email=EMAIL))
    first = path_to(EMAIL)
    other = Client()
    other.post(SIGNUP, wish(email=EMAIL.upper(), password="strangers-chosen-word-99"))
    second = SignUp.objects.latest("pk")
    client.post(first)

    assert client.post(first).status_code == 404
    assert other.post(path_to(second.email)).status_code == 404
    assert User.objects.count() == 1
    assert has_password(User.objects.get(), wish()["password"])


def test_a_reset_carries_nobody_past_the_factor(client: Client, mike: User) -> None:
    """Case 28 (Keycloak #8920): the mailbox alone signs nobody in, and the factor stays as it was."""
    device = enrolled(mike)

    _set(client, _ask(client))
    in_session = dict(client.session.items())
    answer = client.post(LOGIN, {"email": EMAIL, "password": NEW_PASSWORD})

    assert set(in_session) <= {"_messages"}
    assert answer["Location"] == VERIFY
    assert not is_signed_in(client)
    assert TotpDevice.objects.get().pk == device.pk
    assert bytes(TotpDevice.objects.get().sealed_seed) == bytes(device.sealed_seed)


def test_what_was_open_before_a_reset_is_refused_after_it(client: Client, mike: User) -> None:
    """Case 28 (Keycloak #49007, Airflow CVE-2023-40273): sessions, half sign-ins and known browsers end."""
    device = enrolled(mike)
    mine, half, known = Client(), Client(), known_browser_of(mike)
    sign_in(mine, mike)
    prove_password(half, mike)

    _set(client, _ask(client))

    assert not is_signed_in(mine)
    assert half.post(VERIFY, {"code": oathtool(device.open_seed())})["Location"] == LOGIN
    assert not PendingSignIn.objects.exists()
    assert [guess(known, EMAIL, ip=f"203.0.113.{number}") for number in range(6)] == [422] * 5 + [429]


def test_an_old_password_is_refused_after_a_reset(client: Client, mike: User) -> None:
    """Case 28 (Airflow CVE-2023-40273)."""
    _set(client, _ask(client))

    assert guess(Client(), EMAIL, PASSWORD) == 422

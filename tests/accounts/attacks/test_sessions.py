"""Attacks on sessions: planted, stolen, and outliving what should end them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY

from accounts.identity.models import PendingSignIn, User
from accounts.mfa.models import TotpDevice
from accounts.sessions.actions.opening import BACKEND
from accounts.sessions.models import AccountSession
from accounts.sessions.store import SessionStore
from tests.accounts.attacks.stranger import (
    CLOSED,
    ENROL,
    LOGIN,
    LOGOUT,
    NEW_CODES,
    NEW_PASSWORD,
    PASSWORD_PAGE,
    RECOVER,
    REPLACE,
    SCAN,
    SESSIONS,
    SIGNUP,
    VERIFY,
    deactivated,
    enrols,
    is_signed_in,
    key_of,
    shown_key,
    thief_of,
)
from tests.accounts.identity.mailbox import path_to
from tests.accounts.identity.wishes import EMAIL, wish
from tests.factories import accounts, organizations
from tests.factories.sign_in import (
    PASSWORD,
    enrolled,
    oathtool,
    prove_password,
    sign_in,
    with_recovery_codes,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

Act = Callable[[Client, User], str]


# --- Planted ids ----------------------------------------------------------------------------------
# Each act answers the key that the browser held before it, which an attacker may have planted or read.


def _plant(client: Client) -> str:
    """Gives ``client`` a session that an attacker knows and filled."""
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return str(session.session_key)


def _at_the_password(client: Client, person: User) -> str:
    key = _plant(client)
    prove_password(client, person)
    return key


def _at_the_code(client: Client, person: User) -> str:
    prove_password(client, person)
    key = _plant(client)
    client.post(VERIFY, {"code": oathtool(enrolled(person).open_seed())})
    return key


def _at_a_recovery_code(client: Client, person: User) -> str:
    prove_password(client, person)
    key = key_of(client)
    client.post(RECOVER, {"recovery_code": with_recovery_codes(person)[0]})
    return key


def _at_the_end_of_an_enrolment(client: Client, person: User) -> str:
    TotpDevice.objects.filter(user=person).delete()
    prove_password(client, person)
    key = _plant(client)
    enrols(client)
    return key


def _at_the_confirmation_of_a_sign_up(client: Client, person: User) -> str:
    client.post(SIGNUP, wish())
    key = _plant(client)
    client.post(path_to(EMAIL), {"password": wish()["password"]})
    return key


def _at_a_step_up(client: Client, person: User) -> str:
    session = sign_in(client, person)
    AccountSession.objects.filter(pk=session.pk).update(proof_at=session.started_at.replace(year=2020))
    question = client.get(SESSIONS)["Location"]
    key = _plant(client)
    client.post(question, {"way": "totp", "code": oathtool(enrolled(person).open_seed())})
    return key


def _at_a_new_app(client: Client, person: User) -> str:
    sign_in(client, person)
    client.post(REPLACE, {"code": oathtool(enrolled(person).open_seed())})
    key = _plant(client)
    client.post(SCAN, {"code": oathtool(shown_key(client, SCAN))})
    return key


def _at_new_recovery_codes(client: Client, person: User) -> str:
    sign_in(client, person)
    key = _plant(client)
    client.post(NEW_CODES, {"code": oathtool(enrolled(person).open_seed())})
    return key


def _at_the_code_of_the_old_app(client: Client, person: User) -> str:
    sign_in(client, person)
    key = _plant(client)
    client.post(REPLACE, {"code": oathtool(enrolled(person).open_seed())})
    return key


def _at_a_new_password(client: Client, person: User) -> str:
    sign_in(client, person)
    key = _plant(client)
    client.post(PASSWORD_PAGE, {"password": PASSWORD, "new_password": NEW_PASSWORD})
    return key


def _at_the_sign_out(client: Client, person: User) -> str:
    sign_in(client, person)
    key = _plant(client)
    client.post(LOGOUT)
    return key


PLANTED: list[Act] = [
    _at_the_password,
    _at_the_code,
    _at_a_recovery_code,
    _at_the_end_of_an_enrolment,
    _at_the_confirmation_of_a_sign_up,
    _at_a_step_up,
    _at_a_new_app,
    _at_the_code_of_the_old_app,
    _at_new_recovery_codes,
    _at_a_new_password,
    _at_the_sign_out,
]


def _named(acts: list[Act]) -> list[str]:
    return [act.__name__.lstrip("_") for act in acts]


@pytest.mark.parametrize("act", PLANTED, ids=_named(PLANTED))
def test_a_planted_session_id_is_refused_afterwards(client: Client, ada: User, act: Act) -> None:
    """Case 31 (Keycloak CVE-2026-7507, Airflow CVE-2022-38054): the old key dies at each proof."""
    enrolled(ada)

    planted = act(client, ada)

    thief = thief_of(planted)
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != planted
    assert not is_signed_in(thief)
    assert thief.get(ENROL)["Location"] == LOGIN
    assert thief.get(VERIFY)["Location"] == LOGIN
    assert not SessionStore().exists(planted)


@pytest.mark.parametrize("act", [_at_the_password, _at_the_code], ids=["password", "code"])
def test_what_was_planted_in_a_session_is_dropped(client: Client, ada: User, act: Act) -> None:
    """Case 31 (Airflow CVE-2022-38054): the values go with the key."""
    enrolled(ada)

    act(client, ada)

    assert "planted" not in client.session


def test_a_made_up_session_id_is_not_adopted(client: Client, ada: User) -> None:
    """Case 31 (Keycloak CVE-2026-7507): the portal alone chooses keys."""
    made_up = "a" * 32
    client.cookies[settings.SESSION_COOKIE_NAME] = made_up

    prove_password(client, ada)

    assert key_of(client) != made_up
    assert not SessionStore().exists(made_up)


def test_a_session_that_no_sign_in_made_is_refused(client: Client, ada: User) -> None:
    """Case 31 (Airflow CVE-2022-38054): not even a row that names person, password hash and factor."""
    store = SessionStore()
    store[SESSION_KEY] = str(ada.pk)
    store[BACKEND_SESSION_KEY] = BACKEND
    store[HASH_SESSION_KEY] = ada.get_session_auth_hash()
    store[DEVICE_ID_SESSION_KEY] = enrolled(ada).persistent_id
    store.create()
    client.cookies[settings.SESSION_COOKIE_NAME] = store.session_key

    assert not is_signed_in(client)
    assert SESSION_KEY not in client.session


# --- Ended sessions -------------------------------------------------------------------------------


def _end_one(client: Client, theirs: AccountSession) -> None:
    client.post(f"{SESSIONS}{theirs.public_id}/end/")


def _end_all_others(client: Client, theirs: AccountSession) -> None:
    client.post(f"{SESSIONS}end-others/")


@pytest.mark.parametrize("end", [_end_one, _end_all_others], ids=["one", "all others"])
def test_a_revoked_sessions_next_request_is_refused(client: Client, ada: User, end) -> None:
    """Case 32 (authentik CVE-2025-29928): at once, on every page and for whoever copied its cookie."""
    stolen = Client()
    theirs = sign_in(stolen, ada)
    copy = thief_of(key_of(stolen))
    sign_in(client, ada)
    assert is_signed_in(copy)

    end(client, theirs)

    for browser in (stolen, copy, thief_of(key_of(copy))):
        assert browser.get(SESSIONS)["Location"].startswith(LOGIN)
        assert browser.post(NEW_CODES, {"code": "123456"})["Location"].startswith(LOGIN)
    assert is_signed_in(client)


@pytest.mark.parametrize(
    "engine",
    [
        "accounts.sessions.store",
        "django.contrib.sessions.backends.db",
        "django.contrib.sessions.backends.cache",
        "django.contrib.sessions.backends.cached_db",
        "django.contrib.sessions.backends.file",
    ],
)
def test_a_revoked_session_is_refused_with_every_backend(
    ada: User, settings, tmp_path, engine: str, clock
) -> None:
    """Case 32 (authentik CVE-2025-29928): the portal's own row answers."""
    settings.SESSION_ENGINE, settings.SESSION_FILE_PATH = engine, str(tmp_path)
    device, mine, stolen = enrolled(ada), Client(), Client()
    for browser in (mine, stolen):
        clock.shift(30)
        prove_password(browser, ada)
        browser.post(VERIFY, {"code": oathtool(device.open_seed())})
        assert is_signed_in(browser)

    _end_one(mine, AccountSession.objects.latest("pk"))

    assert not is_signed_in(stolen)
    assert is_signed_in(mine)


def test_a_signed_out_session_is_refused(client: Client, ada: User) -> None:
    """Case 32 (authentik CVE-2025-29928): a cookie that was copied before is worth nothing after."""
    sign_in(client, ada)
    copy = thief_of(key_of(client))

    client.post(LOGOUT)

    assert not is_signed_in(copy)


def test_a_deactivated_persons_session_is_refused_at_its_next_request(client: Client, ada: User) -> None:
    """Case 33 (Zulip CVE-2016-4427): no sweep, no cache and no idle time lies between."""
    sign_in(client, ada)
    half, place = Client(), organizations.founder(owner=ada)
    prove_password(half, ada)
    assert is_signed_in(client)

    deactivated(ada)

    for page in (CLOSED, SESSIONS, "/accounts/keys/", "/accounts/organization/"):
        assert client.get(page)["Location"].startswith(LOGIN)
    assert not PendingSignIn.objects.exists()
    assert place.organization.name not in client.get("/accounts/organization/", follow=True).content.decode()


def test_a_session_from_before_a_deactivation_is_refused_after_it_ended(client: Client, ada: User) -> None:
    """Case 33 (Zulip CVE-2016-4427): who comes back signs in anew."""
    sign_in(client, ada)
    deactivated(ada)
    administrator = Client()
    sign_in(administrator, accounts.staff())
    form = {"action": "reactivate_selected", "_selected_action": [ada.pk]}
    administrator.post("/admin/accounts/user/", form)

    assert not is_signed_in(client)
    prove_password(Client(), ada)


# --- Changed factors ------------------------------------------------------------------------------


def _replaces(client: Client, person: User) -> str:
    return _at_a_new_app(client, person)


def _renews(client: Client, person: User) -> str:
    sign_in(client, person)
    client.post(NEW_CODES, {"code": oathtool(enrolled(person).open_seed())})
    return key_of(client)


def _recovers(client: Client, person: User) -> str:
    key = _at_a_recovery_code(client, person)
    enrols(client)
    return key


CHANGES: list[Act] = [_replaces, _renews, _recovers, _at_a_new_password]


@pytest.mark.parametrize("change", CHANGES, ids=["new app", "new recovery codes", "recovery", "new password"])
def test_a_session_from_before_a_change_of_factor_is_refused(client: Client, ada: User, change: Act) -> None:
    """Case 34 (Joomla CVE-2024-21722): only the session that changed it goes on."""
    elsewhere, halfway = Client(), Client()
    sign_in(elsewhere, ada)
    prove_password(halfway, ada)

    change(client, ada)

    assert is_signed_in(client)
    assert not is_signed_in(elsewhere)
    assert halfway.get(VERIFY)["Location"] == LOGIN
    assert AccountSession.objects.unended().count() == 1


def test_a_session_from_before_the_first_factor_is_refused(client: Client, ada: User) -> None:
    """Case 34 (Joomla CVE-2024-21722): enrolling ends what was open before, whatever opened it."""
    AccountSession.objects.create(
        user=ada, key_digest=b"x" * 32, epoch=ada.security_epoch, method="totp", level=2
    )
    prove_password(client, ada)

    enrols(client)

    assert AccountSession.objects.get(key_digest=b"x" * 32).end_reason == "factor"
    assert is_signed_in(client)


def test_codes_of_a_replaced_app_are_refused(client: Client, ada: User, device: TotpDevice, clock) -> None:
    """Case 34 (Joomla CVE-2024-21722)."""
    old = device.open_seed()
    _replaces(client, ada)
    clock.shift(30)
    stranger = Client()
    prove_password(stranger, ada)

    assert stranger.post(VERIFY, {"code": oathtool(old)}).status_code == 422

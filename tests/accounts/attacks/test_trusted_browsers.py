"""Attacks on browsers that stand for a second factor."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.identity.models import User
from accounts.mfa.models import TotpDevice
from accounts.organizations.actions import change_mfa_policy
from accounts.sessions import rules, trust
from accounts.sessions.models import AccountSession, TrustedBrowser
from kellexa_portal.core.actor import Actor
from tests.accounts.attacks.stranger import (
    CLOSED,
    LOGIN,
    NEW_PASSWORD,
    PASSWORD_PAGE,
    SESSIONS,
    STEP_UP,
    VERIFY,
    how_often,
)
from tests.accounts.identity.mailbox import kinds_to, path_to
from tests.accounts.mfa.passkey_pages import held
from tests.factories.organizations import founder, member, organization, passkey_policy
from tests.factories.sign_in import PASSWORD, enrolled, new_person, oathtool, prove_password, sign_in
from tests.support.parallel import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"


def _trusting(person: User, *, agent: str = FIREFOX) -> Client:
    """A browser that ``person`` trusts, signed out again."""
    client = Client(headers={"user-agent": agent})
    device = enrolled(person)
    TotpDevice.objects.filter(pk=device.pk).update(last_step=0)
    prove_password(client, person)
    form = {"code": oathtool(device.open_seed()), "trust": "on"}
    assert client.post(VERIFY, form).status_code == 303
    client.post("/accounts/logout/")
    assert trust.cookie_name(person) in client.cookies
    return client


def _signs_in(client: Client, person: User, *, password: str = PASSWORD) -> bool:
    """Whether the password alone leads inside."""
    client.post(LOGIN, {"email": person.email, "password": password})
    return client.get(CLOSED).status_code == 200


@pytest.fixture
def ada() -> User:
    return new_person()


def test_a_trusted_browser_needs_the_password_and_nothing_else(ada: User) -> None:
    client = _trusting(ada)

    assert _signs_in(client, ada)
    session = AccountSession.objects.unended().get()
    assert (session.method, session.level, session.methods) == ("trusted", 1, ["pwd"])


def test_the_cookie_alone_opens_nothing(ada: User) -> None:
    client = _trusting(ada)

    assert client.get(CLOSED).status_code == 302
    assert not _signs_in(client, ada, password="not-the-right-words-1")


def test_trust_never_satisfies_a_step_up(ada: User) -> None:
    """Reference, sessions: trust is for the door. What matters asks for the factor, at every level."""
    client = _trusting(ada)
    assert _signs_in(client, ada)

    answers = [client.get(path) for path in (SESSIONS, PASSWORD_PAGE, "/accounts/mfa/passkeys/add/")]

    assert [answer.status_code for answer in answers] == [303] * 3
    assert all(answer["Location"].startswith(STEP_UP) for answer in answers)


@pytest.mark.parametrize("age", [rules.TRUST_LIFETIME, rules.TRUST_LIFETIME + timedelta(seconds=1)])
def test_trust_ends_on_its_day_without_a_cleaner(ada: User, age: timedelta) -> None:
    client = _trusting(ada)
    TrustedBrowser.objects.update(
        created_at=timezone.now() - age, expires_at=timezone.now() - age + rules.TRUST_LIFETIME
    )

    assert not _signs_in(client, ada)


def test_trust_that_is_used_ends_no_later(ada: User) -> None:
    client = _trusting(ada)
    before = TrustedBrowser.objects.get().expires_at

    assert _signs_in(client, ada)
    assert TrustedBrowser.objects.get().expires_at == before


def test_trust_that_was_taken_back_is_refused_at_once(ada: User) -> None:
    """Case 35 (Keycloak GHSA-64w3-5q9m-68xf): a cookie without its row is worth nothing."""
    client, elsewhere = _trusting(ada), Client()
    sign_in(elsewhere, ada)
    row = TrustedBrowser.objects.get()

    answer = elsewhere.post(f"{SESSIONS}trusted/{row.public_id}/forget/")

    assert answer.status_code == 303
    assert not _signs_in(client, ada)
    assert how_often("session.trust.withdraw") == 1


def test_ending_all_others_takes_back_what_other_browsers_have(ada: User) -> None:
    """Case 35: whoever throws everybody else out doesn't leave them a door."""
    client, elsewhere = _trusting(ada), Client()
    sign_in(elsewhere, ada)

    elsewhere.post(f"{SESSIONS}end-others/")

    assert not _signs_in(client, ada)


def test_a_new_password_ends_trust(ada: User) -> None:
    """Case 35, case 28: trust does not outlive what it stood beside."""
    client, elsewhere = _trusting(ada), Client()
    sign_in(elsewhere, ada)
    changed = elsewhere.post(PASSWORD_PAGE, {"password": PASSWORD, "new_password": NEW_PASSWORD})
    assert changed.status_code in {302, 303}

    assert not _signs_in(client, ada, password=NEW_PASSWORD)


@pytest.mark.parametrize("change", [{"security_epoch": 2}, {"is_staff": True}, {"is_active": False}])
def test_a_secured_account_has_no_trusted_browser(ada: User, change: dict[str, Any]) -> None:
    """Case 35: an epoch that was raised, by whatever; a person who became staff; one who was shut out."""
    client = _trusting(ada)
    User.objects.update(**change)

    assert not _signs_in(client, ada)


def test_a_policy_that_asks_for_passkeys_voids_trust_for_good() -> None:
    """Case 35 (Keycloak GHSA-64w3-5q9m-68xf): and taking the policy back does not bring it to life again."""
    owner = founder(owner=new_person())
    held(owner.user)
    client = _trusting(owner.user)

    for requirement in ("phishing_resistant", "required"):
        change_mfa_policy(actor=Actor.of(owner.user), by=owner, requirement=requirement, grace_days=14)

    assert not _signs_in(client, owner.user)


def test_nobody_of_whom_a_passkey_is_asked_is_offered_trust() -> None:
    person = new_person()
    passkey_policy(member(organization(), person=person).organization)
    device, client = enrolled(person), Client()
    prove_password(client, person)

    page = client.get(VERIFY).content.decode()
    client.post(VERIFY, {"code": oathtool(device.open_seed()), "trust": "on"})

    assert 'name="trust"' not in page
    assert not TrustedBrowser.objects.exists()


def test_staff_are_never_offered_trust() -> None:
    person = new_person(is_staff=True)
    device, client = enrolled(person), Client()
    prove_password(client, person)

    page = client.get(VERIFY).content.decode()
    client.post(VERIFY, {"code": oathtool(device.open_seed()), "trust": "on"})

    assert 'name="trust"' not in page
    assert not TrustedBrowser.objects.exists()


def test_one_persons_trust_is_nothing_for_another_in_the_same_browser(ada: User) -> None:
    """Case 36 (Keycloak CVE-2025-12390): second user, same browser, nothing shared."""
    client, bob = _trusting(ada), new_person("bob@example.com")
    enrolled(bob)

    assert not _signs_in(client, bob)
    client.cookies[trust.cookie_name(bob)] = client.cookies[trust.cookie_name(ada)].value
    assert not _signs_in(client, bob)


def test_a_cookie_carried_to_another_kind_of_browser_is_refused(ada: User) -> None:
    client = _trusting(ada)
    thief = Client(headers={"user-agent": CHROME})
    thief.cookies[trust.cookie_name(ada)] = client.cookies[trust.cookie_name(ada)].value

    assert not _signs_in(thief, ada)


@pytest.mark.parametrize("token", ["", "x", "é" * 40, "A" * 5000])
def test_a_made_up_cookie_is_refused(ada: User, token: str) -> None:
    client = _trusting(ada)
    client.cookies[trust.cookie_name(ada)] = token

    assert not _signs_in(client, ada)


def test_another_persons_browser_is_not_there_to_be_forgotten(ada: User) -> None:
    """Case 43 (Sentry CVE-2023-36826): someone else's row gets the 404 of one that never was."""
    client, bob = Client(), new_person("bob@example.com")
    _trusting(ada)
    sign_in(client, bob)
    row = TrustedBrowser.objects.get()

    assert client.post(f"{SESSIONS}trusted/{row.public_id}/forget/").status_code == 404
    assert TrustedBrowser.objects.exists()


def test_trust_is_not_to_be_had_without_a_factor_shown_just_then(ada: User) -> None:
    """A sign-in by trust gives no new trust: it would never end."""
    client = _trusting(ada)

    client.post(LOGIN, {"email": ada.email, "password": PASSWORD, "trust": "on"})

    assert TrustedBrowser.objects.count() == 1


def test_the_owner_is_told_and_can_object(ada: User) -> None:
    _trusting(ada)

    assert kinds_to(ada.email) == ["sessions.new_device", "sessions.browser_trusted"]
    assert "/accounts/lockdown/" in path_to(ada.email)


def test_the_table_holds_nothing_that_a_browser_could_show(ada: User) -> None:
    client = _trusting(ada)
    token = client.cookies[trust.cookie_name(ada)].value

    row = TrustedBrowser.objects.values().get()

    assert token not in str(row)
    assert bytes(row["token_digest"]) == trust.digest_of(token)


def test_the_oldest_trust_goes_when_there_is_too_much(ada: User) -> None:
    first = _trusting(ada)
    for _ in range(rules.MAX_TRUSTED_BROWSERS):
        _trusting(ada)

    assert TrustedBrowser.objects.count() == rules.MAX_TRUSTED_BROWSERS
    assert not _signs_in(first, ada)


@pytest.mark.django_db(transaction=True)
def test_trust_taken_back_in_parallel_opens_at_most_what_came_before(ada: User) -> None:
    client, elsewhere = _trusting(ada), Client()
    sign_in(elsewhere, ada)
    row = TrustedBrowser.objects.get()
    acts = [
        lambda: client.post(LOGIN, {"email": ada.email, "password": PASSWORD}).status_code,
        lambda: elsewhere.post(f"{SESSIONS}trusted/{row.public_id}/forget/").status_code,
    ]

    statuses = at_once(2, lambda index: acts[index]())

    assert statuses[1] == 303
    client.post("/accounts/logout/")
    assert not _signs_in(client, ada)

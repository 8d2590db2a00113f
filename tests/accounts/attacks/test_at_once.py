"""Attacks that send many requests at the same moment, on real connections."""

from __future__ import annotations

import pytest
import time_machine
from django.test import Client

from accounts.identity.models import PendingSignIn, User
from accounts.mfa.models import Enrolment, RecoveryCode
from accounts.mfa.rules import STEP_SECONDS
from accounts.sessions.models import AccountSession
from tests.accounts.attacks.stranger import (
    CLOSED,
    NEW_CODES,
    NEW_PASSWORD,
    RECOVER,
    REPLACE,
    RESET,
    SESSIONS,
    VERIFY,
    VERIFY_CLOCK,
    guess,
    has_password,
    how_often,
    key_of,
    thief_of,
)
from tests.accounts.identity.mailbox import path_to
from tests.factories.sign_in import (
    enrolled,
    new_person,
    oathtool,
    prove_password,
    sign_in,
    totp_now,
    with_recovery_codes,
)
from tests.support.parallel import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada() -> User:
    return new_person()


def test_of_many_parallel_passwords_no_more_than_the_budget_is_looked_at(ada: User) -> None:
    """Case 11 (allauth 65.19.3): a burst gets five answers, from however many networks it comes."""
    answers = at_once(24, lambda number: guess(Client(), ada.email, ip=f"203.0.113.{number}"))

    assert (answers.count(422), answers.count(429)) == (5, 19)
    assert not PendingSignIn.objects.exists()


def test_of_fifty_parallel_codes_no_more_than_five_are_looked_at(client: Client, ada: User) -> None:
    """Case 11 (allauth 65.19.3, two-factor): the tries are taken before a code is compared."""
    device = enrolled(ada)
    prove_password(client, ada)
    right = totp_now(device)
    guesses = [f"{number:06d}" for number in range(60) if f"{number:06d}" != right][:50]
    key = key_of(client)

    at_once(50, lambda index: thief_of(key).post(VERIFY, {"code": guesses[index]}).status_code)

    assert how_often("auth.mfa.fail") <= 5
    assert not PendingSignIn.objects.filter(tries__gt=5).exists()
    assert not AccountSession.objects.exists()


def test_one_pair_of_codes_in_parallel_makes_no_second_session(ada: User) -> None:
    """Case 11 (two-factor): the pair that sets an app's clock anew signs in once, in whichever browser."""
    device = enrolled(ada)
    browsers = [Client(), Client()]
    with time_machine.travel("2026-11-24T12:00:07Z", tick=True) as clock:
        for browser in browsers:
            prove_password(browser, ada)
            browser.post(VERIFY_CLOCK, {"code": oathtool(device.open_seed(), ahead=2)})
        clock.shift(STEP_SECONDS)
        code = oathtool(device.open_seed(), ahead=2)
        thieves = [thief_of(key_of(browser)) for browser in (*browsers, *browsers)]

        at_once(4, lambda index: thieves[index].post(VERIFY_CLOCK, {"code": code}).status_code)

    assert AccountSession.objects.count() == 1
    assert how_often("auth.mfa.resync") == 1


def test_one_right_code_in_parallel_makes_no_second_session(client: Client, ada: User) -> None:
    """Case 11 (two-factor): of four uses of one code, in two half sign-ins, one signs in."""
    device = enrolled(ada)
    other = Client()
    prove_password(client, ada)
    prove_password(other, ada)
    code = totp_now(device)
    browsers = [thief_of(key_of(browser)) for browser in (client, client, other, other)]

    at_once(4, lambda index: browsers[index].post(VERIFY, {"code": code}).status_code)

    assert AccountSession.objects.count() == 1
    assert how_often("auth.login.succeed") == 1
    assert sum(browser.get(CLOSED).status_code == 200 for browser in browsers) == 1


def test_one_right_code_in_parallel_is_not_accepted_on_two_pages(client: Client, ada: User) -> None:
    """Case 11 (two-factor): a sign-in, a step-up, a replacement and new recovery codes share its one use."""
    device = enrolled(ada)
    half, holders = Client(), []
    prove_password(half, ada)
    for _ in range(3):
        holder = Client()
        sign_in(holder, ada)
        holders.append(holder)
    AccountSession.objects.update(
        proof_at=AccountSession.objects.earliest("pk").started_at.replace(year=2020)
    )
    question = holders[0].get(SESSIONS)["Location"]
    code = totp_now(device)
    posts = [(half, VERIFY), (holders[0], question), (holders[1], REPLACE), (holders[2], NEW_CODES)]

    def post(index: int) -> int:
        browser, page = posts[index]
        return browser.post(page, {"code": code, "way": "totp"}).status_code

    at_once(4, post)

    signed_in = how_often("auth.login.succeed") - len(holders)
    elsewhere = how_often("auth.stepup.succeed") + how_often("auth.recovery.renew")
    assert signed_in + elsewhere + Enrolment.objects.count() == 1


def test_one_recovery_code_in_parallel_opens_no_second_enrolment(ada: User) -> None:
    """Case 12 (Keycloak #26106): of twenty uses one burns it."""
    enrolled(ada)
    code = with_recovery_codes(ada)[0]
    browsers = [Client() for _ in range(4)]
    for browser in browsers:
        prove_password(browser, ada)

    at_once(
        20,
        lambda index: (
            thief_of(key_of(browsers[index % 4])).post(RECOVER, {"recovery_code": code}).status_code
        ),
    )

    assert PendingSignIn.objects.filter(stage=PendingSignIn.Stage.RECOVERED).count() == 1
    assert RecoveryCode.objects.usable().count() == 9
    assert how_often("auth.recovery.use") == 1


def test_mailed_links_in_parallel_set_no_second_password(ada: User) -> None:
    """Case 27 (Keycloak CVE-2026-37982): of six uses of two links one counts."""
    paths = []
    for _ in range(2):
        Client().post(RESET, {"email": ada.email})
        paths.append(path_to(ada.email))

    def use(number: int) -> int:
        return Client().post(paths[number % 2], {"new_password": f"{NEW_PASSWORD}-{number}"}).status_code

    statuses = at_once(6, use)

    assert sorted(statuses) == [302] + [404] * 5
    assert has_password(ada, f"{NEW_PASSWORD}-{statuses.index(302)}")

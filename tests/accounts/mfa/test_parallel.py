"""Guesses and uses at the same moment, on real connections (attack cases 11 and 12)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client

from accounts.identity.models import PendingSignIn, User
from accounts.mfa.models import RecoveryCode
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream
from kellexa_portal.audit.queries import events_of
from tests.factories.sign_in import enrolled, new_person, prove_password, totp_now, with_recovery_codes

pytestmark = pytest.mark.django_db(transaction=True)

VERIFY = "/accounts/login/verify/"
RECOVER = "/accounts/login/recover/"


@pytest.fixture
def ada() -> User:
    return new_person()


def at_once(count: int, work: Callable[[int], int]) -> list[int]:
    """Runs ``work`` in ``count`` threads that start together; answers their results."""
    barrier = Barrier(count)

    def run(index: int) -> int:
        try:
            barrier.wait(timeout=30)
            return work(index)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def copy_of(client: Client) -> Client:
    """Another connection of the same browser."""
    other = Client()
    other.cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
    return other


def names_of(user: User) -> list[str]:
    return [event.name for event in events_of(Stream.user(user.public_id))]


def test_of_fifty_parallel_guesses_five_are_looked_at(client: Client, ada: User) -> None:
    device = enrolled(ada)
    prove_password(client, ada)
    right = totp_now(device)
    guesses = [f"{number:06d}" for number in range(60) if f"{number:06d}" != right][:50]

    at_once(50, lambda index: copy_of(client).post(VERIFY, {"code": guesses[index]}).status_code)

    assert names_of(ada).count("auth.mfa.fail") <= 5
    assert not PendingSignIn.objects.filter(tries__gt=5).exists()
    assert not AccountSession.objects.exists()


def test_the_same_right_code_twice_at_once_makes_one_session(client: Client, ada: User) -> None:
    device = enrolled(ada)
    other = Client()
    prove_password(client, ada)
    prove_password(other, ada)
    code = totp_now(device)
    browsers = [copy_of(client), copy_of(client), copy_of(other), copy_of(other)]

    at_once(4, lambda index: browsers[index].post(VERIFY, {"code": code}).status_code)

    assert AccountSession.objects.count() == 1
    assert names_of(ada).count("auth.login.succeed") == 1
    assert sum(browser.get("/accounts/mfa/").status_code == 200 for browser in browsers) == 1


def test_one_recovery_code_used_twenty_times_at_once_opens_one_enrolment(ada: User) -> None:
    enrolled(ada)
    code = with_recovery_codes(ada)[0]
    browsers = [Client() for _ in range(4)]
    for browser in browsers:
        prove_password(browser, ada)

    def use(index: int) -> int:
        return copy_of(browsers[index % 4]).post(RECOVER, {"recovery_code": code}).status_code

    at_once(20, use)

    assert PendingSignIn.objects.filter(stage=PendingSignIn.Stage.RECOVERED).count() == 1
    assert RecoveryCode.objects.usable().count() == 9
    assert names_of(ada).count("auth.recovery.use") == 1

"""A sign-in from a browser or a network that the account was not seen with lately is told by mail."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.identity import known_browser
from accounts.identity.models import User
from accounts.sessions import rules
from accounts.sessions.models import AccountSession
from tests.accounts.identity.mailbox import kinds_to, texts_to
from tests.factories.sign_in import enrolled, new_person, oathtool, prove_password

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Safari/605.1.15"
)
HOME, ELSEWHERE = "192.0.2.7", "198.51.100.9"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2026-11-23T12:00:07Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def ada() -> User:
    person = new_person()
    enrolled(person)
    return person


def _seen(
    user: User, *, ago: timedelta, device: str = "Firefox on Linux", prefix: str = "192.0.2.0/24"
) -> None:
    at = timezone.now() - ago
    AccountSession.objects.create(
        user=user,
        key_digest=f"{ago}{device}".encode()[:32],
        epoch=0,
        level=2,
        method="totp",
        device=device,
        ip_prefix=prefix,
        started_at=at,
        last_seen_at=at,
        ended_at=at,
        end_reason="signed_out",
    )


def _arrive(
    user: User, *, agent: str = FIREFOX, ip: str = HOME, cookies: dict[str, str] | None = None
) -> list[str]:
    """Signs in and answers the mails that this brought."""
    client = Client(headers={"user-agent": agent}, REMOTE_ADDR=ip)
    for name, value in (cookies or {}).items():
        client.cookies[name] = value
    prove_password(client, user)
    answer = client.post("/accounts/login/verify/", {"code": oathtool(enrolled(user).open_seed())})
    assert answer.status_code == 303, answer.content.decode()
    return kinds_to(user.email)


def _known(user: User) -> dict[str, str]:
    response = HttpResponse()
    known_browser.mark(response, user)
    return {name: morsel.value for name, morsel in response.cookies.items()}


def test_the_first_sight_of_a_device_is_told_with_its_facts(ada: User) -> None:
    assert _arrive(ada) == ["sessions.new_device"]

    (text,) = texts_to(ada.email)
    for fact in ("Firefox on Linux", "192.0.2.0/24", HOME, "Authenticator app", "23 November 2026"):
        assert fact in text


@pytest.mark.parametrize(
    ("agent", "ip", "is_told"),
    [(FIREFOX, HOME, False), (SAFARI, HOME, True), (FIREFOX, ELSEWHERE, True), (SAFARI, ELSEWHERE, True)],
    ids=["the same", "another browser", "another network", "both"],
)
def test_another_browser_or_another_network_is_new(ada: User, agent: str, ip: str, is_told: bool) -> None:
    _seen(ada, ago=DAY)

    assert bool(_arrive(ada, agent=agent, ip=ip)) is is_told


@pytest.mark.parametrize(
    ("ago", "is_told"),
    [
        (rules.NEW_DEVICE_MEMORY - timedelta(seconds=1), False),
        (rules.NEW_DEVICE_MEMORY, True),
    ],
    ids=["within 180 days", "180 days ago"],
)
def test_what_was_seen_is_remembered_for_180_days(ada: User, ago: timedelta, is_told: bool) -> None:
    _seen(ada, ago=ago)

    assert bool(_arrive(ada)) is is_told


def test_the_past_is_kept_as_long_as_it_is_asked_for() -> None:
    assert rules.KEEP_ENDED_FOR >= rules.NEW_DEVICE_MEMORY == timedelta(days=180)


def test_a_known_browser_may_travel(ada: User) -> None:
    _seen(ada, ago=DAY)

    assert _arrive(ada, ip=ELSEWHERE, cookies=_known(ada)) == []


def test_the_mark_of_another_person_is_no_past_of_this_one(ada: User) -> None:
    other = new_person("bob@example.com")
    _seen(other, ago=DAY)

    assert _arrive(ada, cookies=_known(other)) == ["sessions.new_device"]


def test_a_mark_from_before_the_account_was_secured_is_none(ada: User) -> None:
    cookies = _known(ada)
    User.objects.update(security_epoch=7)

    assert _arrive(User.objects.get(), cookies=cookies) == ["sessions.new_device"]

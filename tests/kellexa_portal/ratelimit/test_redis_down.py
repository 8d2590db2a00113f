"""A Redis that dies costs neither the counting nor the answer."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from redis import Redis

from kellexa_portal.ratelimit import Limit, WhenDown, clear, refund, spend
from kellexa_portal.ratelimit.breaker import FIRST_PAUSE, LONGEST_PAUSE, Breaker
from kellexa_portal.ratelimit.models import Counter

from .conftest import Server

LIMIT = Limit("test.down", 5, timedelta(hours=1))
SUBJECT = "198.51.100.7"

pytestmark = pytest.mark.django_db


@pytest.fixture
def silent_redis(settings: object) -> Iterator[socket.socket]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        yield server


def test_counting_goes_on_in_postgresql_when_redis_is_killed(redis_of_its_own: Server) -> None:
    spend(LIMIT, SUBJECT)
    assert not Counter.objects.exists()
    redis_of_its_own.kill()

    allowed = [spend(LIMIT, SUBJECT).allowed for _ in range(7)]

    assert allowed == [True] * 5 + [False] * 2


def test_staff_are_refused_while_redis_is_down(redis_of_its_own: Server) -> None:
    assert spend(LIMIT, SUBJECT, when_down=WhenDown.REFUSE).allowed
    redis_of_its_own.kill()

    refusal = spend(LIMIT, SUBJECT, when_down=WhenDown.REFUSE)

    assert not refusal.allowed
    assert refusal.retry_after > timedelta(0)
    assert not Counter.objects.exists()


def test_redis_is_used_again_when_it_is_back(redis_of_its_own: Server) -> None:
    redis_of_its_own.kill()
    spend(LIMIT, SUBJECT)
    redis_of_its_own.start()
    time.sleep(FIRST_PAUSE + 0.05)

    spend(LIMIT, SUBJECT)

    with Redis.from_url(redis_of_its_own.url) as redis:
        assert redis.dbsize() == 1


def test_restart_between_two_attempts_is_not_even_noticed(redis_of_its_own: Server) -> None:
    """Idle connections are gone and the script is forgotten; both are put right within the call."""
    spend(LIMIT, SUBJECT)
    redis_of_its_own.kill()
    redis_of_its_own.start()

    assert spend(LIMIT, SUBJECT).remaining == 4
    assert not Counter.objects.exists()


def test_redis_that_refuses_writes_counts_as_down(redis_of_its_own: Server) -> None:
    with Redis.from_url(redis_of_its_own.url) as redis:
        redis.config_set("maxmemory", "1")

    assert spend(LIMIT, SUBJECT).allowed

    assert Counter.objects.count() == 1


def test_silent_redis_costs_one_time_out_and_not_one_an_attempt(silent_redis: socket.socket) -> None:
    started = time.monotonic()

    for _ in range(5):
        spend(LIMIT, SUBJECT)

    assert time.monotonic() - started < FIRST_PAUSE


def test_refund_and_clear_work_while_redis_is_down(no_redis: None) -> None:
    spend(LIMIT, SUBJECT, cost=5)
    refund(LIMIT, SUBJECT)
    assert spend(LIMIT, SUBJECT).allowed
    clear(LIMIT, SUBJECT)

    assert spend(LIMIT, SUBJECT, cost=5).allowed


def test_open_breaker_admits_one_trial_a_pause_and_longer_pauses_each_time() -> None:
    breaker = Breaker()

    assert breaker.failed()
    assert not breaker.failed()
    assert not breaker.admits()
    breaker._next_trial = time.monotonic()
    assert [breaker.admits(), breaker.admits()] == [True, False]
    for _ in range(9):
        breaker.failed()
    assert breaker._pause == LONGEST_PAUSE
    breaker.succeeded()
    assert breaker.admits()
    assert breaker.admits()

"""A budget allows exactly what it holds, in Redis and in PostgreSQL alike."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.db import connections, transaction
from django.utils import timezone
from redis import Redis

from kellexa_portal.core.errors import Fault
from kellexa_portal.ratelimit import Limit, TooManyAttempts, clear, raise_if_spent, refund, spend
from kellexa_portal.ratelimit.actions import purge_stale
from kellexa_portal.ratelimit.models import Counter

SLOW = Limit("test.slow", 5, timedelta(hours=1))
QUICK = Limit("test.quick", 2, timedelta(seconds=1))
SUBJECT = "ann@example.com"


@pytest.fixture(params=["redis", "postgres"])
def store(request: pytest.FixtureRequest, transactional_db: None) -> str:
    """Each promise is kept by both."""
    if request.param == "postgres":
        request.getfixturevalue("no_redis")
    return request.param


def spend_elsewhere(subject: str) -> bool:
    try:
        return spend(SLOW, subject).allowed
    finally:
        connections.close_all()


def test_of_fifty_parallel_attempts_exactly_the_budget_is_allowed(store: str) -> None:
    with ThreadPoolExecutor(50) as pool:
        allowed = list(pool.map(spend_elsewhere, [SUBJECT] * 50))

    assert allowed.count(True) == 5


def test_remaining_counts_down_and_the_refusal_says_when(store: str) -> None:
    decisions = [spend(SLOW, SUBJECT) for _ in range(6)]

    assert [decision.remaining for decision in decisions] == [4, 3, 2, 1, 0, 0]
    assert [decision.allowed for decision in decisions] == [True] * 5 + [False]
    assert timedelta(minutes=11) < decisions[5].retry_after <= timedelta(minutes=12)
    assert timedelta(minutes=59) < decisions[5].whole_after <= timedelta(hours=1)


def test_subjects_and_limits_have_budgets_of_their_own(store: str) -> None:
    for _ in range(5):
        spend(SLOW, SUBJECT)

    assert spend(SLOW, "bob@example.com").allowed
    assert spend(Limit("test.other", 5, timedelta(hours=1)), SUBJECT).allowed


def test_attempt_is_allowed_again_when_the_refusal_said(store: str) -> None:
    spend(QUICK, SUBJECT, cost=2)
    refusal = spend(QUICK, SUBJECT)
    time.sleep(refusal.retry_after.total_seconds() + 0.02)

    assert not refusal.allowed
    assert spend(QUICK, SUBJECT).allowed
    assert not spend(QUICK, SUBJECT).allowed


def test_refused_attempt_costs_nothing(store: str) -> None:
    spend(SLOW, SUBJECT, cost=4)

    assert not spend(SLOW, SUBJECT, cost=2).allowed
    assert spend(SLOW, SUBJECT, cost=1).allowed


def test_refund_gives_back_and_never_more_than_the_budget(store: str) -> None:
    spend(SLOW, SUBJECT, cost=5)
    refund(SLOW, SUBJECT)
    assert spend(SLOW, SUBJECT).allowed
    refund(SLOW, SUBJECT, cost=5)
    refund(SLOW, SUBJECT, cost=5)

    assert spend(SLOW, SUBJECT, cost=5).allowed
    assert not spend(SLOW, SUBJECT).allowed


def test_clear_makes_the_budget_whole(store: str) -> None:
    spend(SLOW, SUBJECT, cost=5)

    clear(SLOW, SUBJECT)

    assert spend(SLOW, SUBJECT).remaining == 4


def test_count_survives_the_rollback_of_the_caller(store: str) -> None:
    with transaction.atomic():
        spend(SLOW, SUBJECT, cost=5)
        transaction.set_rollback(True)

    assert not spend(SLOW, SUBJECT).allowed


def test_spent_budget_raises_with_the_time_to_wait(store: str) -> None:
    raise_if_spent(SLOW, SUBJECT, cost=5)

    with pytest.raises(TooManyAttempts) as refusal:
        raise_if_spent(SLOW, SUBJECT)

    assert refusal.value.fault is Fault.LIMITED
    assert refusal.value.params == {"retry_after": 720}
    assert refusal.value.sentence() == "Too many attempts. Try again in 12 minutes."


@pytest.mark.parametrize(
    ("seconds", "wait"),
    [(0, "1 second"), (59, "59 seconds"), (61, "2 minutes"), (3600, "1 hour"), (7300, "3 hours")],
)
def test_refusal_speaks_in_the_unit_of_people(seconds: int, wait: str) -> None:
    assert TooManyAttempts(retry_after=seconds).sentence() == f"Too many attempts. Try again in {wait}."


def test_clock_set_back_locks_nobody_out_for_longer_than_the_period(store: str) -> None:
    far_ahead = timezone.now() + timedelta(days=365)
    spend(QUICK, SUBJECT)
    if store == "redis":
        with Redis.from_url(configured.REDIS_URL) as redis:
            redis.set(
                configured.REDIS_KEY_PREFIX + QUICK.key_of(SUBJECT), int(far_ahead.timestamp() * 1_000_000)
            )
    else:
        Counter.objects.update(whole_at=far_ahead)

    refusal = spend(QUICK, SUBJECT)
    time.sleep(refusal.retry_after.total_seconds() + 0.02)

    assert refusal.retry_after <= QUICK.period
    assert spend(QUICK, SUBJECT).allowed


def test_subject_is_nowhere_stored_as_it_is(store: str) -> None:
    spend(SLOW, SUBJECT)

    with Redis.from_url(configured.REDIS_URL) as redis:
        keys = list(redis.scan_iter(f"{configured.REDIS_KEY_PREFIX}*")) if store == "redis" else []
    keys += [key.encode() for key in Counter.objects.values_list("key", flat=True)]
    assert len(keys) == 1
    assert b"ann" not in keys[0]
    assert b"example" not in keys[0]


@pytest.mark.parametrize("cost", [0, -1, 6])
def test_cost_that_no_budget_can_meet_is_a_mistake_of_the_caller(cost: int) -> None:
    with pytest.raises(ValueError, match="cost"):
        spend(SLOW, SUBJECT, cost=cost)


@pytest.mark.parametrize(("name", "budget", "period"), [("", 1, 1), ("a b", 1, 1), ("a", 0, 1), ("a", 5, 0)])
def test_senseless_limit_is_refused_where_it_is_declared(name: str, budget: int, period: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        Limit(name, budget, timedelta(seconds=period))


def test_purge_removes_what_is_whole_again_and_nothing_else(no_redis: None, transactional_db: None) -> None:
    spend(SLOW, "stale")
    spend(SLOW, "fresh", cost=5)

    assert purge_stale(now=timezone.now() + timedelta(minutes=30)) == 1

    assert not spend(SLOW, "fresh").allowed

"""Spends budgets, in Redis or, while that is down, as the caller decided."""

from __future__ import annotations

from datetime import timedelta

from kellexa_portal.ratelimit import buckets, counters
from kellexa_portal.ratelimit.buckets import RedisDownError
from kellexa_portal.ratelimit.limits import Decision, Limit, TooManyAttempts, WhenDown

REFUSAL_LASTS = timedelta(seconds=10)


def spend(limit: Limit, subject: str, *, cost: int = 1, when_down: WhenDown = WhenDown.POSTGRES) -> Decision:
    """Takes ``cost`` of the budget that ``subject`` has under ``limit``, or nothing when it does not reach.

    Of any number of parallel calls exactly the budget succeeds (attack: a burst of guesses that all read
    the counter before one writes it). ``subject`` is hashed; to spell one person or network one way is the
    caller's part. The count survives the caller's rollback. A change between Redis and PostgreSQL grants
    at most one more budget.
    """
    if not 1 <= cost <= limit.budget:
        raise ValueError(f"A cost of {cost} can never be within the limit '{limit.name}'.")
    try:
        return buckets.current().spend(limit, subject, cost)
    except RedisDownError:
        if when_down is WhenDown.REFUSE:
            return Decision(allowed=False, remaining=0, retry_after=REFUSAL_LASTS)
    return counters.spend(limit, subject, cost)


def raise_if_spent(
    limit: Limit, subject: str, *, cost: int = 1, when_down: WhenDown = WhenDown.POSTGRES
) -> Decision:
    """Spends like ``spend`` and raises ``TooManyAttempts`` when the budget does not reach."""
    decision = spend(limit, subject, cost=cost, when_down=when_down)
    if not decision.allowed:
        raise TooManyAttempts(retry_after=decision.retry_after_seconds)
    return decision


def refund(limit: Limit, subject: str, *, cost: int = 1) -> None:
    """Gives back what an attempt took that turned out to be good."""
    try:
        buckets.current().refund(limit, subject, cost)
    except RedisDownError:
        counters.refund(limit, subject, cost)


def clear(limit: Limit, subject: str) -> None:
    """Makes the budget whole, as after a sign-in that succeeded."""
    try:
        buckets.current().clear(limit, subject)
    except RedisDownError:
        counters.clear(limit, subject)

"""Budgets in PostgreSQL, for the time that Redis is down: the same bucket, spent by one atomic statement.

On the connection ``independent``, which commits by itself: a refused sign-in rolls its transaction back,
and its attempt must stay counted (attack: guessing on with requests that are made to fail).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connections

from kellexa_portal.ratelimit.limits import Decision, Limit

INDEPENDENT = "independent"
_MICROSECOND = timedelta(microseconds=1)

# A bucket can be more than a period ahead only after the clock was set back. The refusal then brings it
# to "just spent", so that such a jump locks nobody out for longer than the period.
_SPEND = """
    INSERT INTO ratelimit_counter AS counter (key, whole_at) VALUES (%(key)s, clock_timestamp() + %(cost)s)
    ON CONFLICT (key) DO UPDATE SET
        whole_at = GREATEST(counter.whole_at, clock_timestamp()) + %(cost)s
    WHERE GREATEST(counter.whole_at, clock_timestamp()) + %(cost)s <= clock_timestamp() + %(period)s
    RETURNING counter.whole_at - clock_timestamp()
"""
_REFUSE = """
    UPDATE ratelimit_counter SET whole_at = LEAST(whole_at, clock_timestamp() + %(period)s)
    WHERE key = %(key)s
    RETURNING whole_at - clock_timestamp()
"""
_REFUND = "UPDATE ratelimit_counter SET whole_at = whole_at - %(cost)s WHERE key = %(key)s"
_CLEAR = "DELETE FROM ratelimit_counter WHERE key = %(key)s"


def spend(limit: Limit, subject: str, cost: int) -> Decision:
    """Takes ``cost`` or nothing."""
    values = _values(limit, subject, cost)
    with connections[INDEPENDENT].cursor() as cursor:
        cursor.execute(_SPEND, values)
        spent = cursor.fetchone()
        if spent is not None:
            return _decision(limit, allowed=True, whole_after=spent[0], retry_after=timedelta(0))
        cursor.execute(_REFUSE, values)
        found = cursor.fetchone()
    whole_after = found[0] if found else timedelta(0)
    retry_after = max(whole_after + values["cost"] - values["period"], _MICROSECOND)
    return _decision(limit, allowed=False, whole_after=whole_after, retry_after=retry_after)


def refund(limit: Limit, subject: str, cost: int) -> None:
    """Gives ``cost`` back; a bucket never holds more than its budget."""
    with connections[INDEPENDENT].cursor() as cursor:
        cursor.execute(_REFUND, _values(limit, subject, cost))


def clear(limit: Limit, subject: str) -> None:
    """Makes the budget whole."""
    with connections[INDEPENDENT].cursor() as cursor:
        cursor.execute(_CLEAR, _values(limit, subject, 0))


def _values(limit: Limit, subject: str, cost: int) -> dict[str, Any]:
    interval = limit.interval * _MICROSECOND
    return {"key": limit.key_of(subject), "cost": cost * interval, "period": limit.budget * interval}


def _decision(limit: Limit, *, allowed: bool, whole_after: timedelta, retry_after: timedelta) -> Decision:
    interval = limit.interval * _MICROSECOND
    remaining = max(0, (limit.budget * interval - whole_after) // interval)
    return Decision(allowed, remaining, retry_after, max(whole_after, timedelta(0)))

"""Budgets in Redis. Each call is one script, run alone by the server and timed by the server's clock.

A bucket is one number: the instant, in microseconds, at which it will be whole again.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

from kellexa_portal.ratelimit.breaker import Breaker
from kellexa_portal.ratelimit.limits import Decision, Limit

logger = logging.getLogger(__name__)

TIMEOUT = 0.25

# A bucket can be more than a period ahead only after the clock was set back. It is then brought to "just
# spent", so that such a jump locks nobody out for longer than the period.
_HEAD = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, budget, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local latest = now + interval * budget
local whole = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
if whole > latest then
    whole = latest
    redis.call('SET', KEYS[1], string.format('%.0f', whole), 'PX', math.ceil((whole - now) / 1000))
end
whole = math.max(whole, now)
"""
_SPEND = (
    _HEAD
    + """
local after = whole + cost * interval
if after > latest then
    return {0, math.floor((latest - whole) / interval), after - latest, whole - now}
end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
return {1, math.floor((latest - after) / interval), 0, after - now}
"""
)
_REFUND = (
    _HEAD
    + """
local after = whole - cost * interval
if after <= now then
    return redis.call('DEL', KEYS[1])
end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
return 1
"""
)


class RedisDownError(RuntimeError):
    """Redis did not answer, or the breaker keeps from asking it."""


class Buckets:
    """The budgets of one Redis server."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            # once more at once when an idle connection turns out to be gone; never after a time-out
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        )
        self._spend = self._redis.register_script(_SPEND)
        self._refund = self._redis.register_script(_REFUND)
        self._breaker = Breaker()

    def spend(self, limit: Limit, subject: str, cost: int) -> Decision:
        """Takes ``cost`` or nothing; raises ``RedisDownError``."""
        allowed, remaining, retry_after, whole_after = self._run(self._spend, limit, subject, cost)
        return Decision(
            allowed=bool(allowed),
            remaining=int(remaining),
            retry_after=timedelta(microseconds=retry_after),
            whole_after=timedelta(microseconds=whole_after),
        )

    def refund(self, limit: Limit, subject: str, cost: int) -> None:
        """Gives ``cost`` back, never more than was spent; raises ``RedisDownError``."""
        self._run(self._refund, limit, subject, cost)

    def clear(self, limit: Limit, subject: str) -> None:
        """Makes the budget whole; raises ``RedisDownError``."""
        self._ask(self._redis.delete, _key(limit, subject))

    def _run(self, script: Any, limit: Limit, subject: str, cost: int) -> Sequence[int]:
        answer: Sequence[int] = self._ask(
            script, keys=[_key(limit, subject)], args=[limit.interval, limit.budget, cost]
        )
        return answer

    def _ask(self, call: Any, *args: Any, **kwargs: Any) -> Any:
        if not self._breaker.admits():
            raise RedisDownError
        try:
            answer = call(*args, **kwargs)
        except (RedisError, OSError) as error:
            if self._breaker.failed():
                logger.warning("ratelimit_redis_down", extra={"error": type(error).__name__})
            raise RedisDownError from error
        self._breaker.succeeded()
        return answer


def _key(limit: Limit, subject: str) -> str:
    return f"{settings.REDIS_KEY_PREFIX}{limit.key_of(subject)}"


@functools.lru_cache(maxsize=4)
def _at(url: str) -> Buckets:
    return Buckets(url)


def current() -> Buckets:
    """The budgets of the configured server; one client, pool and breaker a process."""
    return _at(settings.REDIS_URL)

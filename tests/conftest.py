"""What every test shares: no network beyond this machine, and a Redis that each test finds empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from redis import Redis

from tests import network

network.block()

pytest_plugins = ["tests.factories.audit_support"]


@pytest.fixture(autouse=True)
def _empty_redis() -> Iterator[None]:
    """Removes this worker's keys after each test, so that no budget is spent by a neighbour."""
    yield
    with Redis.from_url(settings.REDIS_URL) as redis:
        pattern = settings.REDIS_KEY_PREFIX.rstrip(":") + ":*"
        keys = list(redis.scan_iter(match=pattern, count=1000))
        if keys:
            redis.delete(*keys)

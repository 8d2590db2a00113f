"""Whether this process can do its work: each dependency asked briefly, and without saying much.

The answers are public, so they name states, never hosts, versions or error texts; those go to the log. For
the same reason they are kept for a second: a flood of probes opens no more connections than one probe does.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from kellexa_portal.operations.kept import Kept

logger = logging.getLogger(__name__)

# A probe that hangs is no better than one that fails: the load balancer gives up after a few seconds.
PATIENCE_SECONDS = 2
ANSWER_KEPT_SECONDS = 1.0
HEARTBEAT_KEPT = timedelta(days=7)
# Beat sends one every 15 seconds; three lost ones are no accident.
HEARTBEAT_LATE = timedelta(seconds=60)
UNKNOWN_JOBS: dict[str, str | None] = {"status": "unknown", "last_heartbeat_at": None}


@dataclass(frozen=True)
class Readiness:
    """The state of each dependency, ``ok`` or ``down``."""

    database: str
    migrations: str
    redis: str

    @property
    def is_ready(self) -> bool:
        return {self.database, self.migrations, self.redis} == {"ok"}


@dataclass(frozen=True)
class Health:
    """All that a probe is told."""

    readiness: Readiness
    jobs: dict[str, str | None]


def latest() -> Health:
    """The health of this process, asked for at most once a second by all of its threads together."""
    return _health.get()


def readiness() -> Readiness:
    """Asks the database, its schema and Redis; each answers for itself."""
    database = _state("database", _ask_database)
    migrations = _state("migrations", _ask_migrations) if database == "ok" else "down"
    return Readiness(database=database, migrations=migrations, redis=_state("redis", _ask_redis))


def record_heartbeat(*, now: datetime) -> None:
    """Notes that beat has sent and a worker has run a task just now."""
    with _redis() as redis:
        redis.set(_heartbeat_key(), now.isoformat(), ex=HEARTBEAT_KEPT)


def jobs(*, now: datetime) -> dict[str, str | None]:
    """Whether background work moves; a detail beside readiness, since pages work without it."""
    try:
        with _redis() as redis:
            noted = redis.get(_heartbeat_key())
    except RedisError:
        return UNKNOWN_JOBS
    if noted is None:
        return {"status": "down", "last_heartbeat_at": None}
    try:
        at = noted.decode() if isinstance(noted, bytes) else str(noted)
        is_late = now - datetime.fromisoformat(at) > HEARTBEAT_LATE
    except (ValueError, TypeError):  # somebody else's text, or a time without its zone
        return UNKNOWN_JOBS
    return {"status": "late" if is_late else "ok", "last_heartbeat_at": at}


def _ask() -> Health:
    found = readiness()
    if found.redis == "ok":
        return Health(readiness=found, jobs=jobs(now=timezone.now()))
    return Health(readiness=found, jobs=UNKNOWN_JOBS)  # a Redis that hangs is waited for once


_health = Kept(_ask, seconds=ANSWER_KEPT_SECONDS)


def _state(name: str, ask: Callable[[], bool]) -> str:
    try:
        if ask():
            return "ok"
        logger.error("dependency_not_ready", extra={"dependency": name})
    except (psycopg.Error, RedisError, OSError):
        logger.exception("dependency_down", extra={"dependency": name})
    return "down"


def _database() -> psycopg.Connection[tuple[object, ...]]:
    """A connection of its own: one from the pool would wait ten seconds for a database that is gone."""
    parameters = dict(connections[DEFAULT_DB_ALIAS].get_connection_params())
    for name in ("pool", "cursor_factory", "context"):
        parameters.pop(name, None)
    return psycopg.connect(**{**parameters, "connect_timeout": PATIENCE_SECONDS}, autocommit=True)


def _ask_database() -> bool:
    with _database() as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


@functools.cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    """The migrations of this release; they do not change while it runs."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def _ask_migrations() -> bool:
    with _database() as connection:
        try:
            rows = connection.execute("SELECT app, name FROM django_migrations").fetchall()
        except psycopg.errors.UndefinedTable:
            return False
    return _known_migrations() <= {(str(app), str(name)) for app, name in rows}


def _redis() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
    )


def _ask_redis() -> bool:
    with _redis() as redis:
        return bool(redis.ping())


def _heartbeat_key() -> str:
    return f"{settings.REDIS_KEY_PREFIX}operations:heartbeat"

"""The private portals that journeys run against."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from redis import Redis

from kellexa_portal.dev import throwaway
from kellexa_portal.dev.stack import Stack

pytestmark = pytest.mark.slow

needs_servers = pytest.mark.skipif(
    set(throwaway.given(os.environ)) != {"DATABASE_URL", "REDIS_URL"},
    reason="this run embeds its servers; on a person's own ones it has something to show",
)


@needs_servers
def test_on_named_servers_it_gets_fresh_databases_and_removes_them(tmp_path: Path) -> None:
    stack = Stack(state_dir=tmp_path / "stack")
    stack.start()
    database = urlsplit(stack.environment["DATABASE_URL"]).path.removeprefix("/")
    redis_url = stack.environment["REDIS_URL"]

    with pytest.raises(LookupError, match="no postgres of its own"):
        stack.kill("postgres")
    shown = stack.manage("showmigrations", "--plan", "accounts").stdout
    stack.stop()

    assert "[X]  accounts.0001_initial" in shown
    assert not (stack.state.root / "postgres").exists()
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        known = connection.execute(
            "SELECT count(*) FROM pg_database WHERE datname = %s", [database]
        ).fetchone()
    assert known == (0,)
    with Redis.from_url(redis_url) as redis:
        assert redis.dbsize() == 0


def test_servers_made_for_this_test_run_are_not_taken_for_a_persons_own() -> None:
    variables = {"DATABASE_URL": "postgres:///a", "REDIS_URL": "redis:///1", throwaway.MARK: "DATABASE_URL"}

    assert throwaway.given(variables) == {"REDIS_URL": "redis:///1"}

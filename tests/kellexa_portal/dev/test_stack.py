"""The private portals that journeys run against."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
from redis import Redis

from kellexa_portal import env
from kellexa_portal.dev import processes, throwaway
from kellexa_portal.dev import stack as stack_module
from kellexa_portal.dev.stack import Stack
from kellexa_portal.dev.state import StartError

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


def processes_of(state_dir: Path) -> list[int]:
    """Every living process that was told of the folder, and the servers in it."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            told = process.environ().get("KELLEXA_STATE_DIR") == str(state_dir)
            if (told or str(state_dir) in " ".join(process.cmdline())) and processes.is_running(process.pid):
                found.append(process.pid)
    return found


def wait_until_none(state_dir: Path, *, seconds: float) -> list[int]:
    deadline = time.monotonic() + seconds
    while (left := processes_of(state_dir)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def test_a_start_that_fails_leaves_nothing_even_if_it_will_not_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)\n"
    )
    monkeypatch.setattr("kellexa_portal.dev.stack.STOP_SECONDS", 1.0)
    monkeypatch.setitem(Stack.wait_until_ready.__kwdefaults__ or {}, "seconds", 2.0)
    stubborn = Stack(state_dir=tmp_path / "var", embedded=True, extra={"PYTHONPATH": str(tmp_path)})

    try:
        with pytest.raises(StartError, match="did not start"):
            stubborn.start()
        assert processes_of(tmp_path / "var") == []
    finally:
        for pid in processes_of(tmp_path / "var"):
            processes.send(pid, signal.SIGKILL)


@needs_servers
def test_a_start_without_a_free_redis_gives_its_database_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def fresh_database(server: str, make: Callable[[str], str] = stack_module._fresh_database) -> str:
        made.append(make(server))
        return made[0]

    def no_redis(server: str) -> str:
        raise StartError("No Redis database is empty.")

    monkeypatch.setattr(stack_module, "_fresh_database", fresh_database)
    monkeypatch.setattr(stack_module, "_fresh_redis", no_redis)

    with pytest.raises(StartError, match="No Redis database is empty"):
        Stack(state_dir=tmp_path / "stack").start()

    name = urlsplit(made[0]).path.removeprefix("/")
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        known = connection.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [name]).fetchone()
    assert known == (0,)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel has no PR_SET_PDEATHSIG")
def test_a_stack_does_not_outlive_the_killed_process_that_started_it(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from kellexa_portal.dev.stack import Stack\n"
        "Stack(state_dir=Path(sys.argv[1]), embedded=True).start()\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    state_dir = tmp_path / "var"
    run = subprocess.Popen(
        [sys.executable, "-c", script, str(state_dir)], cwd=env.BASE_DIR, stdout=subprocess.PIPE, text=True
    )
    try:
        with run:
            assert run.stdout is not None
            assert run.stdout.readline() == "ready\n"
            assert len(processes_of(state_dir)) > 5
            run.kill()

        assert wait_until_none(state_dir, seconds=30) == []
    finally:
        run.kill()
        for pid in processes_of(state_dir):
            processes.send(pid, signal.SIGKILL)


def test_servers_made_for_this_test_run_are_not_taken_for_a_persons_own() -> None:
    variables = {"DATABASE_URL": "postgres:///a", "REDIS_URL": "redis:///1", throwaway.MARK: "DATABASE_URL"}

    assert throwaway.given(variables) == {"REDIS_URL": "redis:///1"}

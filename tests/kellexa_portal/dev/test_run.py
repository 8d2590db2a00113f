"""`make run` on its embedded pair: one whole portal, hurt in every way that a developer's day brings."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import psycopg
import pytest
from redis import Redis

from kellexa_portal import env
from kellexa_portal.dev import processes
from kellexa_portal.dev.services import Services
from kellexa_portal.dev.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def run_again(stack: Stack, **variables: str) -> subprocess.CompletedProcess[str]:
    """A second `make run` beside the first."""
    return subprocess.run(
        [sys.executable, "-m", "kellexa_portal.dev", "run", "--no-demo"],
        cwd=env.BASE_DIR,
        env={**stack.environment, "PORT": str(stack.port), **variables},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


def readiness(stack: Stack) -> dict[str, object]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{stack.port}/readyz", timeout=5) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        with error:
            return dict(json.load(error))
    except OSError:
        return {}


def wait_until_ready(stack: Stack, *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while readiness(stack).get("status") != "ready":
        assert time.monotonic() < deadline, stack.output
        time.sleep(0.05)


def remember(stack: Stack, value: str) -> None:
    """Writes one row and one key that must survive."""
    with psycopg.connect(stack.environment["MIGRATION_DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS remembered (value text)")
        connection.execute("INSERT INTO remembered VALUES (%s)", [value])
    with Redis.from_url(stack.environment["REDIS_URL"]) as redis:
        redis.set("remembered", value)


def remembered(stack: Stack) -> tuple[list[str], bytes | None]:
    with psycopg.connect(stack.environment["MIGRATION_DATABASE_URL"]) as connection:
        rows = connection.execute("SELECT value FROM remembered ORDER BY value").fetchall()
    with Redis.from_url(stack.environment["REDIS_URL"]) as redis:
        return [value for (value,) in rows], redis.get("remembered")


def test_it_says_where_it_runs_and_answers_there(stack: Stack) -> None:
    with urllib.request.urlopen(f"{stack.url}/healthz", timeout=5) as answer:
        assert json.load(answer) == {"status": "ok"}

    assert f"runs at {stack.url}" in stack.output


def test_beat_and_worker_do_their_work(stack: Stack) -> None:
    deadline = time.monotonic() + 40
    while readiness(stack).get("jobs", {}).get("status") != "ok":
        assert time.monotonic() < deadline, stack.output
        time.sleep(0.2)


def test_a_second_start_is_refused_and_told_where_the_first_one_runs(stack: Stack) -> None:
    second = run_again(stack, PORT="1")

    assert second.returncode == 1
    assert f"already runs from {stack.state.root} at {stack.url}" in second.stderr
    assert readiness(stack)["status"] == "ready"


@pytest.mark.parametrize("name", ["web", "worker", "beat", "postgres", "redis"])
def test_a_killed_process_comes_back(stack: Stack, name: str) -> None:
    killed = stack.pid(name)

    stack.kill(name)
    deadline = time.monotonic() + 20
    while stack.pid(name) == killed:
        assert time.monotonic() < deadline, stack.output
        time.sleep(0.05)

    wait_until_ready(stack)
    assert f"{name} ended unexpectedly; starting it again" in stack.output


def test_manage_py_finds_the_running_pair(stack: Stack) -> None:
    alone = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}

    shown = subprocess.run(
        [sys.executable, str(env.BASE_DIR / "manage.py"), "showmigrations", "--plan", "accounts"],
        env={**alone, "KELLEXA_STATE_DIR": str(stack.state.root)},
        capture_output=True,
        check=True,
        text=True,
    )

    assert "[X]  accounts.0001_initial" in shown.stdout


def test_after_a_power_cut_the_next_start_recovers_with_all_data(stack: Stack) -> None:
    remember(stack, "before the cut")

    stack.kill_everything()
    stack.start()

    rows, key = remembered(stack)
    assert "before the cut" in rows
    assert key is not None


def test_ctrl_c_is_quick_and_leaves_nothing_and_a_second_start_keeps_the_data(stack: Stack) -> None:
    remember(stack, "before the stop")
    pids = [stack.pid(name) for name in ("supervisor", "web", "worker", "beat", "postgres", "redis")]

    seconds = stack.stop(by=signal.SIGINT)

    assert seconds < 10
    assert [pid for pid in pids if processes.is_running(pid)] == []
    assert processes.leftovers(str(stack.state.root)) == []
    assert not stack.state.status.exists()
    stack.start()
    assert "before the stop" in remembered(stack)[0]


def test_a_start_that_is_interrupted_leaves_nothing_and_can_be_repeated(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    other = Stack(state_dir=tmp_path_factory.mktemp("hasty"), embedded=True)
    hasty = subprocess.Popen(
        [sys.executable, "-m", "kellexa_portal.dev", "run", "--no-demo", "--throw-away"],
        cwd=env.BASE_DIR,
        env={**other.environment, "PORT": str(other.port), "DATABASE_URL": "", "REDIS_URL": ""},
        stdout=subprocess.DEVNULL,
    )
    while not (other.state.root / "postgres" / "data.new").exists():
        time.sleep(0.01)

    hasty.send_signal(signal.SIGINT)
    status = hasty.wait(timeout=10)

    assert status == 0
    assert processes.leftovers(str(other.state.root)) == []
    repeated = Services(other.state, given={}, durable=False)
    try:
        repeated.start(ends_with_us=True)
        assert None not in [server.pid() for server in repeated.servers]
    finally:
        repeated.stop()


def test_a_taken_port_is_named_before_anything_is_started(tmp_path_factory: pytest.TempPathFactory) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        other = Stack(state_dir=tmp_path_factory.mktemp("taken"), port=port, embedded=True)

        refused = run_again(other)

    assert refused.returncode == 1
    assert (
        f"Port {port} is taken by another program; choose another one: make run PORT={port + 1}"
        in refused.stderr
    )
    assert not (other.state.root / "postgres").exists()


@pytest.mark.parametrize("port", ["0", "http", "70000", "-1", "²"])
def test_a_port_that_is_none_is_refused_with_a_sentence(
    port: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Stack(state_dir=tmp_path_factory.mktemp("port"), embedded=True)

    refused = run_again(other, PORT=port)

    assert refused.returncode == 1
    assert f"PORT={port} is not a port" in refused.stderr

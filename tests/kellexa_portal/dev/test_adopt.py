"""How manage.py finds a checkout's servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from redis import Redis

from kellexa_portal import env
from kellexa_portal.dev import secret_file, services
from kellexa_portal.dev.state import State

pytestmark = pytest.mark.slow


ADOPT = (
    "import json, os, sys\n"
    "from kellexa_portal.dev import services\n"
    "variables = json.load(sys.stdin)\n"
    "services.adopt(variables)\n"
    "json.dump(variables, sys.stdout)\n"
)


def adopt(variables: dict[str, str]) -> dict[str, str]:
    """What a command in a process of its own, which ends at once, was told."""
    done = subprocess.run(
        [sys.executable, "-c", ADOPT],
        cwd=env.BASE_DIR,
        input=json.dumps(variables),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return dict(json.loads(done.stdout))


@pytest.fixture
def variables(state: State) -> Iterator[dict[str, str]]:
    """The environment of a command in a checkout where `make run` has run; whatever it starts is stopped."""
    secret_file.ensure(state)
    yield {"KELLEXA_STATE_DIR": str(state.root)}
    services.Services(state, given={}).stop()


def test_servers_that_are_down_are_started_and_left_running(variables: dict[str, str], state: State) -> None:
    told = adopt(variables)

    with psycopg.connect(told["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("kellexa_app",)
    with Redis.from_url(told["REDIS_URL"]) as redis:
        assert redis.ping()
    assert told["KELLEXA_MODE"] == "development"


def test_a_second_command_uses_the_servers_of_the_first(variables: dict[str, str], state: State) -> None:
    adopt(variables)
    first = [server.pid() for server in services.Services(state, given={}).servers]

    adopt(variables)

    assert [server.pid() for server in services.Services(state, given={}).servers] == first


def test_the_stop_command_ends_servers_that_were_left_running(
    variables: dict[str, str], state: State
) -> None:
    adopt(variables)

    subprocess.run(
        [sys.executable, "-m", "kellexa_portal.dev", "stop"],
        cwd=env.BASE_DIR,
        env={"PATH": os.environ["PATH"], **variables},
        check=True,
        capture_output=True,
    )

    assert [server.pid() for server in services.Services(state, given={}).servers] == [None, None]


def test_what_the_person_set_stays(variables: dict[str, str], state: State) -> None:
    variables |= {
        "DATABASE_URL": "postgres://own@127.0.0.1/own",
        "REDIS_URL": "redis://127.0.0.1/3",
        "SECRET_KEY": "own",
    }

    services.adopt(variables)

    assert variables["DATABASE_URL"] == "postgres://own@127.0.0.1/own"
    assert variables["REDIS_URL"] == "redis://127.0.0.1/3"
    assert variables["SECRET_KEY"] == "own"
    assert not (state.root / "postgres").exists()


def test_production_is_left_alone_whatever_lies_in_the_folder(
    variables: dict[str, str], state: State
) -> None:
    variables["KELLEXA_MODE"] = "production"
    before = dict(variables)

    services.adopt(variables)

    assert variables == before
    assert not (state.root / "postgres").exists()


def test_a_folder_in_which_nothing_has_run_is_left_alone(state: State) -> None:
    variables = {"KELLEXA_STATE_DIR": str(state.root)}

    services.adopt(variables)

    assert list(variables) == ["KELLEXA_STATE_DIR"]
    assert not state.secrets.exists()

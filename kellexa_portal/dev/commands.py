"""The commands behind the Makefile's targets."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kellexa_portal import env

from . import checks, logs, processes, throwaway
from . import run as runner
from .services import DEFAULT_PORT, Services, portal_environment, state_of
from .state import HeldError, State, lock

NO_TESTS = 5  # pytest's status for it
BENCH_FOLDER = env.BASE_DIR / "var" / "bench"


def run(options: argparse.Namespace) -> int:
    """The whole portal, until Ctrl-C."""
    runner.run(
        state_of(),
        runner.Options(
            port=runner.read_port(), wants_demo=not options.no_demo, durable=not options.throw_away
        ),
    )
    return 0


def stop(_options: argparse.Namespace) -> int:
    """Ends what runs from this state folder: the stack, or servers that ``manage.py`` left running."""
    state = state_of()
    if not state.secrets.exists():
        logs.say("Nothing has run here.")
        return 0
    try:
        with lock(state.run / "stack.lock"):
            Services(state, given=os.environ).stop()
    except HeldError:  # the number in the status is its holder's, not a stranger's
        pid = int(state.read_status()["pid"])
        processes.send(pid, signal.SIGTERM)
        processes.wait_until_gone([pid], seconds=15.0)
    logs.say("Nothing runs any more.")
    return 0


def test(options: argparse.Namespace) -> int:
    """The suite on two processes, then the browser journeys, on one throw-away pair of servers.

    Words after ``--`` go to pytest and replace both runs by theirs.
    """
    with throwaway.pair():
        if options.rest:
            return _pytest(options.rest)
        suite = _pytest(["-n", "2", "--dist", "loadfile"])
        journeys = _pytest(["-m", "journey", "tests/journeys"])
    return suite or journeys


def check(_options: argparse.Namespace) -> int:
    """Everything that is proved without running the portal; all failures at once."""
    return checks.report(checks.run_all())


def bench(_options: argparse.Namespace) -> int:
    """The benchmarks, on a durable embedded pair of their own: what they measure includes the disk.

    Never on servers that the person named: benchmarks fill tables and empty them.
    """
    with tempfile.TemporaryDirectory(prefix="kellexa-bench-") as folder:
        state = State(Path(folder))
        state.prepare()
        services = Services(state, given={}, as_superuser=True)
        environment = {**os.environ, **portal_environment(state, services, port=DEFAULT_PORT)}
        try:
            services.start(ends_with_us=True)
            for words in (["django", "migrate", "--verbosity", "0"], ["tests.bench", str(BENCH_FOLDER)]):
                subprocess.run([sys.executable, "-m", *words], cwd=env.BASE_DIR, env=environment, check=True)
        except subprocess.CalledProcessError as error:
            return error.returncode
        finally:
            services.stop()
    return 0


def _pytest(words: Sequence[str]) -> int:
    """Pytest's status, where a folder without tests is no failure."""
    command = [sys.executable, "-m", "pytest", *words]
    status = subprocess.run(command, cwd=env.BASE_DIR, check=False).returncode
    return 0 if status == NO_TESTS else status

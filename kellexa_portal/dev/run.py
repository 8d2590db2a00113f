"""``make run``: the whole portal from one command, and back to nothing on Ctrl-C."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

import psycopg

from kellexa_portal import env

from . import logs, processes
from .services import DEFAULT_PORT, Server, Services, portal_environment
from .state import HeldError, StartError, State, lock, write_private
from .supervisor import Program, Supervisor, program_environment

HIGHEST_PORT = 65535
READY_SECONDS = 60.0
WEB_WORKERS = 2
# As many threads as connections in a worker's pool: one more would only wait for a connection.
WEB_THREADS = int(os.environ.get("DB_POOL_SIZE") or 10)
WORKER_PROCESSES = 2
MANAGE = env.BASE_DIR / "manage.py"


@dataclass(frozen=True)
class Options:
    """What the person or a test asked for."""

    port: int
    wants_demo: bool = True
    durable: bool = True


class StopAskedError(Exception):
    """The person asked to stop before everything was up."""


def read_port(variables: Mapping[str, str] = os.environ) -> int:
    """``PORT``, by default 8000."""
    text = variables.get("PORT") or str(DEFAULT_PORT)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= HIGHEST_PORT):
        raise StartError(f"PORT={text} is not a port; choose a number from 1 to 65535.")
    return int(text)


def require_free_port(port: int) -> None:
    """Refuses before anything is started, naming the way out."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise StartError(
                f"Port {port} may not be used by this account; choose PORT above 1023."
            ) from None
        except OSError:
            raise StartError(
                f"Port {port} is taken by another program; choose another one: make run PORT={port + 1}"
            ) from None


@contextlib.contextmanager
def sole_start(state: State) -> Iterator[None]:
    """Holds the state folder for one stack; says where the other one runs."""
    try:
        with lock(state.run / "stack.lock"):
            yield
    except HeldError:
        status = state.read_status()
        where = f" at {status['url']} (process {status['pid']})" if status else ""
        raise StartError(
            f"The portal already runs from {state.root}{where}; stop it there with Ctrl-C, or with: make stop"
        ) from None


class Portal:
    """One run of the whole stack in one state folder."""

    def __init__(self, state: State, options: Options) -> None:
        self._state = state
        self._options = options
        self._mark = str(state.root)
        self._services = Services(state, given=os.environ, durable=options.durable)
        self._url = f"http://localhost:{options.port}"
        self._variables = portal_environment(state, self._services, port=options.port, given=os.environ)
        environment = program_environment(self._variables, mark=self._mark)
        self._supervisor = Supervisor(
            servers=self._services.servers,
            restart_server=self._restart,
            programs=programs(state, environment, port=options.port),
            on_change=self._write_status,
        )
        self._programs = self._supervisor.programs
        self._terminal = logs.Terminal(
            {program.name: (program.log, program.shows) for program in self._programs}
            | {server.name: (server.log, logs.Alarms()) for server in self._services.servers}
        )

    def run(self) -> None:
        """Starts everything, stays until asked to stop, stops everything."""
        self._supervisor.stop_when_signalled()
        self._terminal.start()
        try:
            self._start()
            self._supervisor.watch()
            logs.say("Stopping …")
        except StopAskedError:
            logs.say("Stopping …")
        finally:
            ignore_signals()
            self._supervisor.stop_programs()
            self._services.stop()
            self._terminal.stop()
            self._state.status.unlink(missing_ok=True)

    def _start(self) -> None:
        with interruptible():
            self._services.start(ends_with_us=True)
            self._manage("migrate", "--no-input", "--skip-checks", "--verbosity", "0", what="The migration")
            if self._options.wants_demo and self._is_empty():
                self._load_demo()
        self._supervisor.start_programs()
        if self._wait_until_ready():
            self._write_status(is_ready=True)
            self._greet()

    def _restart(self, server: Server) -> None:
        server.start(ends_with_us=True)

    def _manage(self, *words: str, what: str) -> str:
        """Runs one ``manage.py`` command to its end and returns what it printed."""
        done = subprocess.run(
            [sys.executable, str(MANAGE), *words],
            env={**os.environ, **self._variables},
            capture_output=True,
            check=False,
            text=True,
        )
        if done.returncode != 0:
            raise StartError(f"{what} failed:\n{done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _is_empty(self) -> bool:
        """Whether no account exists yet: then the demo data is welcome."""
        with psycopg.connect(self._variables["DATABASE_URL"]) as connection:
            row = connection.execute("SELECT EXISTS (SELECT FROM accounts_user)").fetchone()
        return row is not None and not row[0]

    def _load_demo(self) -> None:
        logs.say("Loading the demo data …")
        write_private(self._state.sign_ins, self._manage("demo", "--json", what="Loading the demo data"))

    def _wait_until_ready(self) -> bool:
        """Waits for ``/readyz``: an open port says nothing yet. False when asked to stop meanwhile."""
        address = f"http://127.0.0.1:{self._options.port}/readyz"
        deadline = time.monotonic() + READY_SECONDS
        reason = ""
        while not self._supervisor.is_asked_to_stop:
            self._supervisor.check()
            try:
                with urllib.request.urlopen(address, timeout=5):  # our own loopback address
                    return True
            except urllib.error.HTTPError as error:
                reason = error.read(2000).decode("utf-8", "replace")
            except OSError as error:
                reason = str(error)
            if time.monotonic() > deadline:
                raise StartError(f"The portal did not become ready in {READY_SECONDS:.0f} s: {reason}")
            time.sleep(0.05)
        return False

    def _write_status(self, *, is_ready: bool = False) -> None:
        pids = {program.name: program.pid for program in self._programs}
        pids |= {server.name: server.pid() for server in self._services.servers}
        status = {
            "pid": os.getpid(),
            "port": self._options.port,
            "url": self._url,
            "is_ready": is_ready or bool(self._state.read_status().get("is_ready")),
            "processes": pids,
        }
        write_private(self._state.status, json.dumps(status))

    def _greet(self) -> None:
        logs.say(f"Kellexa's portal runs at {self._url}  (Ctrl-C stops it)")
        logs.say(f"Mail it sends: {self._url}/dev/mail/  Logs: {self._state.log}")
        for line in sign_in_lines(self._state.sign_ins):
            logs.say(line)


def programs(state: State, environment: Mapping[str, str], *, port: int) -> list[Program]:
    """Web, worker and beat, in the order of their start."""
    python = sys.executable
    web = [
        *(python, "-m", "granian", "--interface", "wsgi", "kellexa_portal.wsgi:application"),
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--workers", str(WEB_WORKERS), "--blocking-threads", str(WEB_THREADS)),
        *("--respawn-failed-workers", "--respawn-interval", "0.2", "--workers-kill-timeout", "3"),
    ]
    worker = [
        *(python, "-m", "celery", "-A", "kellexa_portal", "worker", "--loglevel", "INFO"),
        *("--concurrency", str(WORKER_PROCESSES), "--without-gossip", "--without-mingle"),
    ]
    beat = [
        *(python, "-m", "celery", "-A", "kellexa_portal", "beat", "--loglevel", "INFO"),
        *("--schedule", str(state.root / "celerybeat-schedule"), "--pidfile", ""),
    ]
    return [
        Program(
            name="web", command=web, environment=environment, log=state.log / "web.log", shows=logs.Requests()
        ),
        Program(
            name="worker",
            command=worker,
            environment=environment,
            log=state.log / "worker.log",
            shows=logs.Alarms(),
        ),
        Program(
            name="beat",
            command=beat,
            environment=environment,
            log=state.log / "beat.log",
            shows=logs.Alarms(),
        ),
    ]


def sign_in_lines(path: Path) -> list[str]:
    """The demo sign-ins, one a line; none where the data is not the demo's."""
    rows = [("Demo sign-ins: email", "password", "TOTP secret", "role")]
    try:
        for account in json.loads(path.read_text(encoding="utf-8"))["accounts"]:
            role = ", ".join(part for part in (account["role"], account["organization"]) if part)
            rows.append((account["email"], account["password"], account["totp_secret"], role))
    except (OSError, ValueError, KeyError, TypeError):
        return []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turns a request to stop into ``StopAskedError`` while the main thread waits for other commands."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise StopAskedError

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    former = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """A second Ctrl-C changes nothing: the stop is bounded in time already."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def run(state: State, options: Options) -> None:
    """Runs the portal until asked to stop.

    Raises ``StartError`` with a sentence for the person when it cannot.
    """
    state.prepare()
    with sole_start(state):
        state.status.unlink(missing_ok=True)
        processes.sweep(str(state.root))
        require_free_port(options.port)
        Portal(state, options).run()

"""A whole private portal for a test: real servers, web, worker and beat in a folder of their own."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from redis import Redis

from kellexa_portal import env

from . import logs, processes, throwaway
from .services import Services, portal_environment
from .state import StartError, State

START_SECONDS = 90.0
STOP_SECONDS = 20.0
# Redis has sixteen numbered databases; stacks take theirs from the upper half.
_REDIS_DATABASES = range(15, 7, -1)
_CLAIM = "kellexa-stack-claim"


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stack:
    """Starts, hurts and stops one portal, exactly as ``make run`` runs it.

    On Linux the portal ends with the thread that started it, however that one ends. On servers that a person
    named (``DATABASE_URL``, ``REDIS_URL``) it gets a fresh database and a Redis database of its own, removed
    at the stop; otherwise, and with ``embedded``, it embeds its pair.
    """

    def __init__(
        self,
        *,
        state_dir: Path,
        port: int | None = None,
        demo: bool = False,
        embedded: bool = False,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self.state = State(state_dir.resolve())
        self.port = port or free_port()
        self.url = f"http://localhost:{self.port}"
        self.output_file = self.state.root / "stack.out"
        self._demo = demo
        self._embedded = embedded
        self._extra = dict(extra or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._given: dict[str, str] = {}

    @property
    def mail_dir(self) -> Path:
        """Where its mail is written."""
        return self.state.mail

    @property
    def environment(self) -> dict[str, str]:
        """For ``manage.py`` and other clients of this portal."""
        services = Services(self.state, given=self._given)
        inherited = {name: value for name, value in os.environ.items() if name not in _TELLING}
        return {**inherited, **portal_environment(self.state, services, port=self.port), **self._extra}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Returns once the portal answers.

        Raises ``StartError`` with all that it printed when it does not. However the start fails, nothing of
        it is left running.
        """
        try:
            self.state.prepare()
            self._take_given_servers()
            self._launch()
            self.wait_until_ready()
        except BaseException:  # also Ctrl-C and the time limit of a test: nobody calls stop() after these
            with suppress(subprocess.TimeoutExpired):
                self.stop()
            raise

    def _launch(self) -> None:
        words = ["run", "--throw-away"] + ([] if self._demo else ["--no-demo"])
        inherited = {name: value for name, value in os.environ.items() if name not in _TELLING}
        told = {
            "KELLEXA_STATE_DIR": str(self.state.root),
            "PORT": str(self.port),
            **self._given,
            **self._extra,
        }
        self._process = processes.spawn(
            [sys.executable, "-m", "kellexa_portal.dev", *words],
            log=self.output_file,
            environment={**inherited, **told},
            ends_with_us=signal.SIGTERM,
            folder=env.BASE_DIR,
        )

    def wait_until_ready(self, *, seconds: float = START_SECONDS) -> None:
        """Waits until the supervisor has seen ``/readyz`` answer."""
        deadline = time.monotonic() + seconds
        while not self._is_ready():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise StartError(f"The stack did not start:\n{self.output}")
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        """Whether this very run has said so, not one that was killed before it."""
        status = self.state.read_status()
        is_mine = self._process is not None and status.get("pid") == self._process.pid
        return is_mine and bool(status.get("is_ready"))

    def stop(self, *, by: signal.Signals = signal.SIGTERM) -> float:
        """Asks it to stop, as Ctrl-C or a process manager does; returns how many seconds that took.

        Raises ``subprocess.TimeoutExpired`` when it had to be killed.
        """
        began = time.monotonic()
        try:
            if self._process is not None:
                self._process.send_signal(by)
                self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill_everything()
            raise
        finally:
            self._process = None
            self._return_given_servers()
        return time.monotonic() - began

    @property
    def output(self) -> str:
        """What it printed on its terminal."""
        return logs.tail(self.output_file, lines=200)

    def pid(self, name: str) -> int:
        """The process called ``web``, ``worker``, ``beat``, ``postgres``, ``redis`` or ``supervisor``."""
        status = self.state.read_status()
        known = {**status.get("processes", {}), "supervisor": status.get("pid")}
        pid = known.get(name)
        if pid is None:
            raise LookupError(f"this stack runs no {name} of its own: {sorted(known)}")
        return int(pid)

    def kill(self, name: str) -> None:
        """Kills it outright (``kill -9``); the supervisor starts it again."""
        processes.send(self.pid(name), signal.SIGKILL)

    def kill_everything(self) -> None:
        """The power cut: every process of it, supervisor first, at once."""
        if self._process is None:
            return
        status = self.state.read_status()
        known = status.get("processes", {}) if status.get("pid") == self._process.pid else {}
        pids = [self._process.pid, *(int(pid) for pid in known.values() if pid)]
        for pid in pids + processes.leftovers(str(self.state.root)):
            processes.send(pid, signal.SIGKILL)
        self._process.wait(timeout=5)
        processes.wait_until_gone(pids, seconds=5)
        self._process = None

    def manage(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs one ``manage.py`` command against this portal."""
        return subprocess.run(
            [sys.executable, str(env.BASE_DIR / "manage.py"), *words],
            env=self.environment,
            capture_output=True,
            check=check,
            text=True,
        )

    # --- Servers that a person named ---

    def _take_given_servers(self) -> None:
        if self._given or self._embedded:
            return
        chosen = throwaway.given(os.environ)
        if "DATABASE_URL" in chosen:
            self._given["DATABASE_URL"] = _fresh_database(chosen["DATABASE_URL"])
        if "REDIS_URL" in chosen:
            self._given["REDIS_URL"] = _fresh_redis(chosen["REDIS_URL"])

    def _return_given_servers(self) -> None:
        if "DATABASE_URL" in self._given:
            _drop_database(throwaway.given(os.environ)["DATABASE_URL"], self._given["DATABASE_URL"])
        if "REDIS_URL" in self._given:
            with Redis.from_url(self._given["REDIS_URL"]) as redis:
                redis.flushdb()
        self._given = {}


# What this process was told of its own servers, which a stack must not take for its own.
_TELLING = frozenset(
    {
        *(
            "DATABASE_URL",
            "MIGRATION_DATABASE_URL",
            "REDIS_URL",
            "KELLEXA_STATE_DIR",
            "KELLEXA_TEST_STATE_DIR",
        ),
        *("DJANGO_SETTINGS_MODULE", "PUBLIC_URL", "PORT", "SECRET_KEY", "KEYRING", "TOKEN_PEPPERS"),
        *("AUDIT_SIGNING_KEY", "KELLEXA_DATABASE_ROLE", processes.MARK, throwaway.MARK),
    }
)


def _with_path(url: str, path: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def _fresh_database(url: str) -> str:
    name = f"kellexa_stack_{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return _with_path(url, f"/{name}")


def _drop_database(server: str, url: str) -> None:
    name = urlsplit(url).path.removeprefix("/")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _with_number(url: str, number: int) -> str:
    socket_url = url.partition("?")[0]
    return f"{socket_url}?db={number}" if url.startswith("unix:") else _with_path(url, f"/{number}")


def _fresh_redis(url: str) -> str:
    for number in _REDIS_DATABASES:
        candidate = _with_number(url, number)
        with Redis.from_url(candidate) as redis, suppress(IndexError):
            if redis.dbsize() == 0 and redis.set(_CLAIM, "1", nx=True, ex=3600):
                return candidate
    raise StartError("No Redis database from 8 to 15 is empty; flush one of them.")

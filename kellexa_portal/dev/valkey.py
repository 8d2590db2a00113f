"""The embedded Valkey: cache, limits and broker over a unix socket, with an append-only file."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psutil
from redis import Redis
from redis.exceptions import BusyLoadingError, RedisError

from . import binaries, logs, processes
from .state import StartError, State, socket_folder

START_SECONDS = 20.0


class Valkey:
    """Starts, finds and stops the server of one state folder, whoever started it."""

    name = "redis"

    def __init__(self, state: State, *, durable: bool = True) -> None:
        self._folder = state.root / "valkey"
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self.log = state.log / "redis.log"

    @property
    def socket(self) -> Path:
        return socket_folder(self._folder, owner=os.getuid()) / "valkey.sock"

    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def pid(self) -> int | None:
        """The server of this folder, or ``None``."""
        with suppress(OSError, ValueError, psutil.Error):
            pid = int((self._folder / "valkey.pid").read_text(encoding="ascii"))
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == self._folder.resolve():
                return pid
        return None

    def start(self, *, ends_with_us: bool) -> None:
        """Starts it and waits until it has read its file and answers; a stale socket is replaced."""
        if self._process is not None:
            self._process.poll()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if self.pid() is None:
            self._start_server(ends_with_us=ends_with_us)
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Ends it by SIGTERM, on which it writes its file to the end."""
        pid = self.pid()
        if pid is None:
            return
        for number, seconds in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 1.0)):
            processes.send(pid, number)
            if not processes.wait_until_gone([pid], seconds=seconds):
                break
        if self._process is not None:
            self._process.wait(timeout=5)

    def _start_server(self, *, ends_with_us: bool) -> None:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "pidfile": str(self._folder / "valkey.pid"),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec" if self._durable else "no",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        options = [word for name, value in settings.items() for word in (f"--{name}", value)]
        self._process = processes.spawn(
            [binaries.valkey_program(), *options],
            log=self.log,
            environment={"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)},
            ends_with_us=signal.SIGTERM if ends_with_us else None,
            folder=self._folder,
        )

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        with Redis(unix_socket_path=str(self.socket), socket_timeout=2) as redis:
            while True:
                try:
                    redis.ping()
                except (RedisError, BusyLoadingError) as error:
                    has_ended = self._process is not None and self._process.poll() is not None
                    if has_ended or time.monotonic() > deadline:
                        raise self._failure(error) from None
                else:
                    return
                time.sleep(0.02)

    def _failure(self, error: RedisError) -> StartError:
        return logs.failure("The Redis-compatible server", logs.tail(self.log) or str(error), log=self.log)

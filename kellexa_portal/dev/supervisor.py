"""Keeps the stack's processes alive, and ends them in an order that loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import logs, processes
from .services import Server
from .state import StartError

# Of the ten seconds that a stop may take, what the servers do not need.
PATIENCE_SECONDS = 6.0
# So many deaths, each soon after a start, mean that another start will not help.
QUICK_DEATHS = 5
QUICK_SECONDS = 20.0
LONGEST_PAUSE = 8.0


@dataclass
class Pulse:
    """How often something died soon after its start, and when it may be started again."""

    deaths: int = 0
    started_at: float = 0.0
    resume_at: float = 0.0

    def started(self) -> None:
        self.started_at = time.monotonic()

    def died(self) -> None:
        """Counts; each quick death doubles the pause, a long life forgets them."""
        now = time.monotonic()
        self.deaths = self.deaths + 1 if now - self.started_at < QUICK_SECONDS else 1
        self.resume_at = now + min(LONGEST_PAUSE, 0.25 * 2 ** (self.deaths - 1))

    @property
    def is_hopeless(self) -> bool:
        return self.deaths >= QUICK_DEATHS

    @property
    def may_start(self) -> bool:
        return time.monotonic() >= self.resume_at


@dataclass
class Program:
    """One process of the portal: web, worker or beat."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    shows: Callable[[str], bool] = field(default_factory=logs.Alarms)
    pulse: Pulse = field(default_factory=Pulse)
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process is not None else None

    def start(self) -> None:
        self.process = processes.spawn(
            self.command, log=self.log, environment=self.environment, ends_with_us=signal.SIGTERM
        )
        self.pulse.started()

    def has_died(self) -> bool:
        """Whether it ended unasked; what is left of its group is ended with it, as it may hold the port."""
        if self.process is None or self.process.poll() is None:
            return False
        processes.send_group(self.process.pid, signal.SIGKILL)
        self.process = None
        self.pulse.died()
        return True

    def ask_to_stop(self) -> None:
        if self.process is not None:
            processes.send(self.process.pid, signal.SIGTERM)

    def make_stop(self, *, deadline: float) -> None:
        """Waits until ``deadline`` (monotonic), then kills it with all of its group."""
        if self.process is None:
            return
        try:
            self.process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            logs.say(f"{self.name} did not stop in time and was killed.")
        processes.send_group(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None


class Supervisor:
    """Watches servers and programs until told to stop."""

    def __init__(
        self,
        *,
        servers: Sequence[Server],
        restart_server: Callable[[Server], None],
        programs: Sequence[Program],
        on_change: Callable[[], None],
    ) -> None:
        self._servers = {server.name: (server, Pulse()) for server in servers}
        self._restart_server = restart_server
        self.programs = programs
        self._on_change = on_change
        self._wanted = threading.Event()

    def stop_when_signalled(self) -> None:
        """Ctrl-C, a request to end, and a closed terminal all mean the same."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self._wanted.set())

    @property
    def is_asked_to_stop(self) -> bool:
        return self._wanted.is_set()

    def start_programs(self) -> None:
        for program in self.programs:
            program.start()
        self._on_change()

    def watch(self) -> None:
        """Returns when asked to stop.

        Raises ``StartError`` when something dies again and again.
        """
        for _, pulse in self._servers.values():
            pulse.started()
        while not self._wanted.wait(0.1):
            self.check()

    def check(self) -> None:
        """One look at everything; restarts what died."""
        for server, pulse in self._servers.values():
            self._check_server(server, pulse)
        for program in self.programs:
            if program.has_died():
                self._report(program.name, program.pulse, program.log)
            if program.process is None and program.pulse.may_start:
                program.start()
                self._on_change()

    def _check_server(self, server: Server, pulse: Pulse) -> None:
        if server.pid() is not None:
            return
        if pulse.may_start:
            pulse.died()
            self._report(server.name, pulse, server.log)
            self._restart_server(server)
            pulse.started()
            self._on_change()

    def _report(self, name: str, pulse: Pulse, log: Path) -> None:
        last = logs.tail(log)
        if logs.DISK_FULL in last:
            raise logs.failure(name, last)
        if pulse.is_hopeless:
            raise StartError(f"{name} ended {pulse.deaths} times soon after its start; see {log}:\n{last}")
        logs.say(f"{name} ended unexpectedly; starting it again ({log}).")

    def stop_programs(self) -> None:
        """Beat first, so that nothing new is sent; then web and worker finish what they have begun."""
        for program in reversed(self.programs):
            program.ask_to_stop()
        deadline = time.monotonic() + PATIENCE_SECONDS
        for program in reversed(self.programs):
            program.make_stop(deadline=deadline)


def program_environment(variables: Mapping[str, str], *, mark: str) -> dict[str, str]:
    """The environment of the portal's processes: this one's, completed and marked."""
    return {**os.environ, **variables, processes.MARK: mark, "PYTHONUNBUFFERED": "1"}

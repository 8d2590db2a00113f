"""Reads the stack's log files: the last lines for a message, new lines for the terminal."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from .state import DiskFullError, StartError

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ALARM = re.compile(r"\b(warning|error|critical|fatal|panic)\b|Traceback", re.IGNORECASE)
# Said at every healthy start: our own waiting, and advice to operators of big servers.
_HARMLESS = (
    "the database system is starting up",
    "the database system is not yet accepting connections",
    "Memory overcommit must be enabled",
    "Configuration allows spawning",
)
_ENTRY = re.compile(r"\d{4}-\d\d-|\[|\d+:[A-Z] |[A-Z]+ /")
_REQUEST = re.compile(r"\] [A-Z]+ /\S* \d{3} \d+ ms")
_QUIET_PATHS = ("/readyz ", "/healthz ", "/static/")
_COLOURS = {"web": "36", "worker": "35", "beat": "34", "postgres": "33", "redis": "33", "kellexa": "32"}
DISK_FULL = "No space left on device"


def tail(log: Path, *, lines: int = 12) -> str:
    """The last lines of ``log``."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def failure(what: str, output: str, *, log: Path | None = None) -> StartError:
    """The error for a server that did not start, naming a full disk where that is the cause."""
    if DISK_FULL in output:
        return DiskFullError(f"The disk is full: {what} could not write. Make room and start again.")
    where = f" (all of it in {log})" if log else ""
    return StartError(f"{what} did not start{where}:\n{output.strip()}")


class Alarms:
    """Picks what a person should see of a process that talks all the time: alarms, tracebacks included."""

    def __init__(self) -> None:
        self._is_showing = False

    def __call__(self, line: str) -> bool:
        """Whether to show ``line``; one that begins no entry belongs to the entry before it."""
        is_alarm = bool(_ALARM.search(line)) and not any(words in line for words in _HARMLESS)
        self._is_showing = is_alarm or (self._is_showing and not _ENTRY.match(line))
        return self._is_showing


class Requests(Alarms):
    """Alarms, and each request that a person made: no polling of health, no static files."""

    def __call__(self, line: str) -> bool:
        is_request = _REQUEST.search(line) and not any(path in line for path in _QUIET_PATHS)
        return super().__call__(line) or bool(is_request)


class Terminal:
    """Follows log files and prints their new lines, each with the name of its process in front.

    The processes write to files, not to pipes of ours: a supervisor that is killed takes no log away,
    and a slow terminal never holds up a server.
    """

    def __init__(self, logs: Mapping[str, tuple[Path, Callable[[str], bool]]]) -> None:
        self._logs = dict(logs)
        self._offsets = {path: path.stat().st_size if path.exists() else 0 for path, _ in self._logs.values()}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="terminal", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Prints what is left and ends."""
        self._stopped.set()
        self._thread.join(timeout=2)

    def _follow(self) -> None:
        while not self._stopped.wait(0.2):
            self._show_new_lines()
        self._show_new_lines()

    def _show_new_lines(self) -> None:
        for name, (path, wanted) in self._logs.items():
            for line in self._new_lines(path):
                if line.strip() and wanted(line):
                    say(line, name=name)

    def _new_lines(self, path: Path) -> list[str]:
        try:
            size = path.stat().st_size
            if size < self._offsets[path]:  # replaced by a new file
                self._offsets[path] = 0
            with path.open("rb") as file:
                file.seek(self._offsets[path])
                data = file.read(1024 * 1024)
        except OSError:
            return []
        whole, _, _ = data.rpartition(b"\n")
        self._offsets[path] += len(whole) + 1 if whole else 0
        return whole.decode("utf-8", "replace").splitlines()


def say(text: str, *, name: str = "kellexa") -> None:
    """One prefixed line to the terminal; a terminal that is gone is no reason to stop."""
    line = text.rstrip()
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        prefix = f"\x1b[{_COLOURS.get(name, '0')}m{name:>8} |\x1b[0m"
    else:
        prefix, line = f"{name:>8} |", _ANSI.sub("", line)
    try:
        print(f"{prefix} {line}", flush=True)
    except (BrokenPipeError, OSError):
        return

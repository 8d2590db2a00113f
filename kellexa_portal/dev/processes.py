"""Starts and ends the processes of the development stack."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

LAUNCHER = Path(__file__).with_name("child.py")
# Set in the environment of every process that belongs to a stack, so that a later start finds the ones
# that outlived it: the workers of a web server whose master was killed still hold the port.
MARK = "KELLEXA_STACK"
LOG_LIMIT = 10 * 1024 * 1024


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str],
    ends_with_us: signal.Signals | None,
    user: str = "",
    folder: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Starts ``command`` in a session of its own, its output appended to ``log``.

    A session of its own, because Ctrl-C reaches every process of the terminal's group at once and the
    database would be gone before its clients. With ``ends_with_us`` the kernel sends that signal when
    this process dies.
    """
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER)]
    if ends_with_us is not None:
        launcher += ["--signal", str(int(ends_with_us)), "--parent", str(os.getpid())]
    if user:
        launcher += ["--user", user]
    with log.open("ab") as output:
        return subprocess.Popen(
            [*launcher, "--", *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )


def is_running(pid: int) -> bool:
    """Whether ``pid`` is a process that still does something; a zombie does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_until_gone(pids: Iterable[int], *, seconds: float) -> list[int]:
    """Waits until the processes are gone; returns those that are not."""
    deadline = time.monotonic() + seconds
    left = [pid for pid in pids if is_running(pid)]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [pid for pid in left if is_running(pid)]
    return left


def send(pid: int, number: signal.Signals) -> None:
    """Signals one process; one that is gone already is what was wanted."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def send_group(leader: int, number: signal.Signals) -> None:
    """Signals what is left of the group that ``spawn`` made for ``leader``."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def leftovers(mark: str) -> list[int]:
    """Living processes that carry ``mark`` as their stack, other than this one."""
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (psutil.Error, OSError):  # another user's, or gone meanwhile
            continue
    return found


def sweep(mark: str, *, seconds: float = 3.0) -> int:
    """Ends what a killed supervisor left behind: first asked, then made to. Returns how many there were."""
    pids = leftovers(mark)
    for pid in pids:
        send(pid, signal.SIGTERM)
    for pid in wait_until_gone(pids, seconds=seconds):
        send(pid, signal.SIGKILL)
    wait_until_gone(pids, seconds=1.0)
    return len(pids)

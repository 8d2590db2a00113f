"""Runs one command so that it ends with the process that asked for it. Standard library only, run by path.

The kernel signals the child when its parent dies (Linux, ``PR_SET_PDEATHSIG``): without it, ``kill -9`` of
the supervisor would leave a database and a web server behind that nobody stops. A launcher rather than a
``preexec_fn``, which may deadlock in a process with threads. Where the kernel has no such call the command
simply runs; the next start sweeps up what was left.

Usage: child.py [--signal N --parent PID] [--user NAME] -- COMMAND…
"""

from __future__ import annotations

import argparse
import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1


def _end_with_parent(*, death_signal: int, parent: int) -> None:
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:  # it died before the call above
        sys.exit(1)


def _become(name: str) -> None:
    entry = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--signal", type=int, default=0)
    parser.add_argument("--parent", type=int, default=0)
    parser.add_argument("--user", default="")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    if options.user:
        _become(options.user)
    if options.signal:  # after the change of user, which would clear it
        _end_with_parent(death_signal=options.signal, parent=options.parent)
    os.execvp(options.command[0], options.command)  # noqa: S606  # the very purpose: no shell between


if __name__ == "__main__":
    main()

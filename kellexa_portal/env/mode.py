"""Where this installation stands and in which mode and role it starts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from .reader import Reader

BASE_DIR = Path(__file__).resolve().parent.parent.parent
DEVELOPMENT_SECRETS = "secrets.env"
OWNER_COMMANDS = frozenset({"migrate", "makemigrations"})
_owner_processes: set[int] = set()


def state_dir(variables: Mapping[str, str] = os.environ) -> Path:
    """Where this installation keeps what it writes: ``KELLEXA_STATE_DIR``, by default ``var``."""
    given = Reader(variables).text("KELLEXA_STATE_DIR")
    return Path(given).resolve() if given else BASE_DIR / "var"


STATE_DIR = state_dir()


def is_development_checkout(variables: Mapping[str, str] = os.environ) -> bool:
    """Whether this is a development start: named as one, or unnamed where ``make run`` has run."""
    mode = Reader(variables).text("KELLEXA_MODE")
    return mode == "development" or (not mode and (state_dir(variables) / DEVELOPMENT_SECRETS).is_file())


def choose_database_role(arguments: Sequence[str]) -> None:
    """Lets ``migrate`` and ``makemigrations``, and nothing else, connect as the owner of the tables.

    Called by manage.py with its arguments. The running portal's role owns no table, so that an
    injection cannot switch off the triggers that keep evidence: that takes the owner.
    """
    _owner_processes.clear()
    if len(arguments) > 1 and arguments[1] in OWNER_COMMANDS:
        _owner_processes.add(os.getpid())


def acts_as_owner() -> bool:
    """Whether this very process is such a command; no variable makes another process the owner."""
    return os.getpid() in _owner_processes

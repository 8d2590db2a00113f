"""The environment, typed. Every variable may also come from a file, as ``NAME_FILE``.

Production refuses to start on a missing, default, weak or reused secret, and names every fault in one
answer (a start that fails once for each mistake teaches people to guess). No message holds a value.
``docs/configuration.md`` lists the variables.
"""

from __future__ import annotations

from .config import Config, load
from .keys import KeyMap, generate_secrets
from .mode import BASE_DIR, STATE_DIR, choose_database_role, is_development_checkout, state_dir
from .reader import EnvironmentFault

__all__ = [
    "BASE_DIR",
    "STATE_DIR",
    "Config",
    "EnvironmentFault",
    "KeyMap",
    "choose_database_role",
    "generate_secrets",
    "is_development_checkout",
    "load",
    "state_dir",
]

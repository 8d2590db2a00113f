"""The generated secrets of a development installation, in one file that only its owner reads."""

from __future__ import annotations

import secrets

from kellexa_portal import env

from .postgres import Passwords
from .state import State, write_private

PASSWORD_NAMES = ("EMBEDDED_ADMIN_PASSWORD", "EMBEDDED_OWNER_PASSWORD", "EMBEDDED_APPLICATION_PASSWORD")


def read(state: State) -> dict[str, str]:
    """The secrets by variable name; empty where there is no file yet."""
    if not state.secrets.exists():
        return {}
    lines = state.secrets.read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line.strip() and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def ensure(state: State) -> dict[str, str]:
    """The secrets, made where missing. What is there is kept: sealed values depend on it."""
    known = read(state)
    wanted = env.generate_secrets() | {name: secrets.token_urlsafe(24) for name in PASSWORD_NAMES}
    missing = {name: value for name, value in wanted.items() if not known.get(name)}
    if missing:
        known |= missing
        lines = [f"{name}={value}\n" for name, value in known.items()]
        write_private(
            state.secrets,
            "# Made by `make run` for this checkout; never use it in production.\n" + "".join(lines),
        )
    return known


def passwords(values: dict[str, str]) -> Passwords:
    """The passwords of the embedded database's roles."""
    admin, owner, application = (values[name] for name in PASSWORD_NAMES)
    return Passwords(admin=admin, owner=owner, application=application)


def of_the_portal(values: dict[str, str]) -> dict[str, str]:
    """What the portal's processes get: everything but the database's own passwords."""
    return {name: value for name, value in values.items() if name not in PASSWORD_NAMES}

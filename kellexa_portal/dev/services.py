"""The embedded pair of servers behind a checkout, and how ``manage.py`` finds it.

A server that the person named (``DATABASE_URL``, ``REDIS_URL``) always wins over an embedded one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from kellexa_portal import env

from . import postgres, secret_file
from .postgres import Postgres
from .state import State, lock
from .valkey import Valkey

Server = Postgres | Valkey
DEFAULT_PORT = 8000
START_PATIENCE = 60.0


class Services:
    """The servers that this installation embeds: none, one or both."""

    def __init__(
        self, state: State, *, given: Mapping[str, str], durable: bool = True, as_superuser: bool = False
    ) -> None:
        self._state = state
        self._given = {
            name: given.get(name, "") for name in ("DATABASE_URL", "MIGRATION_DATABASE_URL", "REDIS_URL")
        }
        self._role = postgres.ADMIN if as_superuser else postgres.APPLICATION
        self.secrets = secret_file.ensure(state)
        self.postgres: Postgres | None = None
        self.valkey: Valkey | None = None
        if not self._given["DATABASE_URL"]:
            self.postgres = Postgres(state, secret_file.passwords(self.secrets), durable=durable)
        if not self._given["REDIS_URL"]:
            self.valkey = Valkey(state, durable=durable)

    @property
    def servers(self) -> list[Server]:
        """In the order of their start; they stop in the opposite one."""
        return [server for server in (self.postgres, self.valkey) if server is not None]

    def start(self, *, ends_with_us: bool) -> None:
        """Starts what is down; under a lock, so that two commands never make one cluster at once."""
        with lock(self._state.run / "services.lock", patience=START_PATIENCE):
            for server in self.servers:
                server.start(ends_with_us=ends_with_us)

    def stop(self) -> None:
        with lock(self._state.run / "services.lock", patience=START_PATIENCE):
            for server in reversed(self.servers):
                server.stop()

    def environment(self) -> dict[str, str]:
        """The addresses of both servers, embedded or given."""
        if self.postgres is not None:
            database = self.postgres.url(self._role)
            owner = self.postgres.url(postgres.ADMIN if self._role == postgres.ADMIN else postgres.OWNER)
        else:
            database = self._given["DATABASE_URL"]
            owner = self._given["MIGRATION_DATABASE_URL"] or database
        redis = self.valkey.url() if self.valkey is not None else self._given["REDIS_URL"]
        return {"DATABASE_URL": database, "MIGRATION_DATABASE_URL": owner, "REDIS_URL": redis}


def portal_environment(
    state: State, services: Services, *, port: int, given: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What every process of this installation needs to be told, but for what ``given`` tells it already.

    Mode, folder and servers are the installation's, whatever else a person has set.
    """
    choosable = {"PUBLIC_URL": f"http://localhost:{port}", **secret_file.of_the_portal(services.secrets)}
    return {
        "KELLEXA_MODE": "development",
        "KELLEXA_STATE_DIR": str(state.root),
        "DJANGO_SETTINGS_MODULE": "kellexa_portal.settings",
        **{name: value for name, value in choosable.items() if not is_set(name, given or {})},
        **services.environment(),
    }


def is_set(name: str, variables: Mapping[str, str]) -> bool:
    """Whether the variable has a value, by itself or through a file."""
    return bool(variables.get(name) or variables.get(f"{name}_FILE"))


def adopt(variables: MutableMapping[str, str] = os.environ) -> None:
    """Lets a ``manage.py`` command work on this checkout's data, starting the servers if they are down.

    They are left running for the next command; ``make run`` takes them over, and ``make stop`` ends them.
    What the person set in the environment stays. Does nothing in production, whatever lies in ``var``.
    """
    if variables.get("KELLEXA_MODE") == "production":
        return
    state = State(env.state_dir(variables))
    if not state.secrets.exists():  # nothing has run here: the command needs its own environment
        return
    state.prepare()
    services = Services(state, given=variables)
    services.start(ends_with_us=False)
    port = int(state.read_status().get("port") or variables.get("PORT") or DEFAULT_PORT)
    for name, value in portal_environment(state, services, port=port).items():
        if not is_set(name, variables):
            variables[name] = value


def state_of(variables: Mapping[str, str] = os.environ) -> State:
    """The state folder that ``variables`` choose."""
    return State(Path(env.state_dir(variables)))

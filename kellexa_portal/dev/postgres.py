"""The embedded PostgreSQL: one cluster in the state folder, over a unix socket, with passwords only."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import psutil
import psycopg
from psycopg import sql

from . import binaries, logs, processes
from .state import SOCKET_LOCK, StartError, State, socket_folder, write_private

ADMIN, OWNER, APPLICATION = "kellexa_admin", "kellexa_owner", "kellexa_app"
DATABASE = "kellexa"
START_SECONDS = 30.0
# A throw-away cluster need not survive a crash of the machine. It does survive the death of its processes:
# every commit is still written before it is confirmed.
THROW_AWAY = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True, repr=False)
class Passwords:
    """One for each role, from the state folder's secrets."""

    admin: str
    owner: str
    application: str


class Postgres:
    """Starts, finds and stops the cluster of one state folder, whoever started it."""

    name = "postgres"

    def __init__(self, state: State, passwords: Passwords, *, durable: bool = True) -> None:
        self._state = state
        self._passwords = passwords
        self._durable = durable
        self._folder = state.root / "postgres"
        self._data = self._folder / "data"
        self._rights = binaries.Rights()
        self._process: subprocess.Popen[bytes] | None = None
        self.log = state.log / "postgres.log"

    def url(self, role: str, database: str = DATABASE) -> str:
        """The address for ``role``; the socket's folder travels in the query, as libpq has it."""
        password = {
            ADMIN: self._passwords.admin,
            OWNER: self._passwords.owner,
            APPLICATION: self._passwords.application,
        }[role]
        query = urlencode({"host": str(self._sockets())})
        return f"postgres://{role}:{quote(password, safe='')}@/{database}?{query}"

    def pid(self) -> int | None:
        """The postmaster of this data folder, or ``None``; a number that was given to another process
        meanwhile is not mistaken for it."""
        pid = self._pid_in_file()
        return pid if pid is not None and self._works_here(pid) else None

    def start(self, *, ends_with_us: bool) -> None:
        """Makes the cluster if there is none, starts it and waits until it answers."""
        if self._process is not None:
            self._process.poll()  # collects a former one
        if self.pid() is None:
            self._prepare()
            self._start_server(ends_with_us=ends_with_us)
        self._wait_until_it_answers()
        self._provision()

    def stop(self) -> None:
        """Ends it by SIGINT, which disconnects its clients: SIGTERM would wait for each of them."""
        pid = self.pid()
        if pid is None:
            return
        for number, seconds in ((signal.SIGINT, 5.0), (signal.SIGQUIT, 1.0), (signal.SIGKILL, 1.0)):
            processes.send(pid, number)
            if not processes.wait_until_gone([pid], seconds=seconds):
                break
        if self._process is not None:
            self._process.wait(timeout=5)

    # --- Making the cluster ---

    def _prepare(self) -> None:
        self._state.require_space(32 if self._data.exists() else 200)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._rights = binaries.take_rights(self._folder)
        if not self._data.exists():
            self._make_cluster()
        self._forget_stale_notes()

    def _programs(self) -> Path:
        return binaries.postgres_folder(self._rights, copy_to=self._folder / "programs")

    def _sockets(self) -> Path:
        owner = self._folder.stat().st_uid if self._folder.exists() else os.getuid()
        return socket_folder(self._folder, owner=owner)

    def _make_cluster(self) -> None:
        """Made beside and renamed, so that an interrupted first start is never taken for a cluster."""
        beside = self._folder / "data.new"
        shutil.rmtree(beside, ignore_errors=True)
        password_file = self._folder / "password"
        write_private(password_file, self._passwords.admin + "\n")
        if self._rights.user:
            shutil.chown(password_file, self._rights.user)
        options = [
            f"--pgdata={beside}",
            f"--username={ADMIN}",
            f"--pwfile={password_file}",
            "--auth-local=scram-sha-256",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
        ]
        if not self._durable:
            options.append("--no-sync")
        try:
            command = self._rights.command(self._programs() / "initdb", *options)
            made = subprocess.run(
                command, capture_output=True, check=False, text=True, env=_environment(), cwd=self._folder
            )
            if made.returncode != 0:
                shutil.rmtree(beside, ignore_errors=True)
                raise logs.failure("PostgreSQL's initdb", made.stdout + made.stderr)
        finally:
            password_file.unlink(missing_ok=True)
        beside.rename(self._data)

    # --- Running it ---

    def _start_server(self, *, ends_with_us: bool) -> None:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{self._sockets()}"',
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "log_timezone": "UTC",
            # A refused row must not be written to the log: neither its values nor the statement.
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
            **({} if self._durable else THROW_AWAY),
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._process = processes.spawn(
            [*self._rights.prefix, self._programs() / "postgres", "-D", self._data, *options],
            log=self.log,
            environment=_environment(),
            ends_with_us=signal.SIGINT if ends_with_us else None,
            user=self._rights.user,
            folder=self._data,
        )

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url(ADMIN, "postgres"), connect_timeout=2).close()
            except psycopg.OperationalError as error:
                self._explain(error, is_late=time.monotonic() > deadline)
            else:
                return
            time.sleep(0.03)

    def _explain(self, error: psycopg.OperationalError, *, is_late: bool) -> None:
        """Raises when waiting longer cannot help."""
        if "password authentication failed" in str(error):
            raise StartError(
                f"The database under {self._folder} was made with other secrets "
                f"than {self._state.secrets} holds; bring that file back, or remove both to begin anew."
            ) from None
        has_ended = self._process is not None and self._process.poll() is not None
        if has_ended or is_late:
            raise logs.failure("PostgreSQL", logs.tail(self.log) or str(error), log=self.log) from None

    def _provision(self) -> None:
        """The database, the owner of its tables, and the role of the portal, which owns none of them."""
        with psycopg.connect(self.url(ADMIN, "postgres"), autocommit=True) as connection:
            for role, password in (
                (OWNER, self._passwords.owner),
                (APPLICATION, self._passwords.application),
            ):
                known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
                if known is None:
                    hashed = connection.pgconn.encrypt_password(
                        password.encode(), role.encode(), b"scram-sha-256"
                    ).decode()
                    connection.execute(
                        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                            sql.Identifier(role), sql.Literal(hashed)
                        )
                    )
            if (
                connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                is None
            ):
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(DATABASE), sql.Identifier(OWNER)
                    )
                )
        with psycopg.connect(self.url(ADMIN), autocommit=True) as connection:
            connection.execute(_GRANTS)

    # --- Whose process is it ---

    def _pid_in_file(self) -> int | None:
        try:
            return int((self._data / "postmaster.pid").read_text(encoding="ascii").split()[0])
        except (OSError, ValueError, IndexError):
            return None

    def _works_here(self, pid: int) -> bool:
        with suppress(psutil.Error, OSError):
            process = psutil.Process(pid)
            return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == self._data.resolve()
        return False

    def _forget_stale_notes(self) -> None:
        """Removes what a killed postmaster noted, its number beside its data and beside its socket.

        PostgreSQL would refuse to start beside a living process of that number, although it may be a
        stranger's by now, or nobody has collected the dead one yet. Before, whatever still works in the
        data folder (backends of the killed one) gets the time to end.
        """
        strays = [process.pid for process in psutil.process_iter() if self._works_here(process.pid)]
        if not processes.wait_until_gone(strays, seconds=5.0):
            (self._data / "postmaster.pid").unlink(missing_ok=True)
            (self._sockets() / SOCKET_LOCK).unlink(missing_ok=True)


_GRANTS = f"""
REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC;
GRANT CONNECT ON DATABASE {DATABASE} TO {APPLICATION};
GRANT USAGE ON SCHEMA public TO {APPLICATION};
GRANT USAGE, CREATE ON SCHEMA public TO {OWNER};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APPLICATION};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO {APPLICATION};
"""


def _environment() -> dict[str, str]:
    """Little of ours: the server needs no secret, and ``PG*`` variables would change what it does."""
    kept = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")
    return {"LC_ALL": "C", "TZ": "UTC"} | {name: os.environ[name] for name in kept if name in os.environ}

"""The embedded PostgreSQL, really run."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from kellexa_portal.dev import binaries, processes, secret_file
from kellexa_portal.dev.postgres import APPLICATION, OWNER, Postgres
from kellexa_portal.dev.state import DiskFullError, StartError, State

pytestmark = pytest.mark.slow

only_root = pytest.mark.skipif(os.getuid() != 0, reason="only root has to become someone else, or may mount")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other accounts may enter, as pytest's own ones may not be."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB: less than a cluster takes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "none", folder], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_the_portals_role_reads_and_writes_tables_that_it_cannot_change(postgres: Postgres) -> None:
    postgres.start(ends_with_us=True)
    with psycopg.connect(postgres.url(OWNER)) as owner:
        owner.execute("CREATE TABLE evidence (id serial PRIMARY KEY, text text)")

    with psycopg.connect(postgres.url(APPLICATION), autocommit=True) as application:
        application.execute("INSERT INTO evidence (text) VALUES ('kept')")
        owned = application.execute(
            "SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole"
        ).fetchone()
        for statement in (
            "TRUNCATE evidence",
            "DROP TABLE evidence",
            "ALTER TABLE evidence DISABLE TRIGGER ALL",
            "CREATE TABLE own (id int)",
            "CREATE ROLE other",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                application.execute(statement)

    assert owned == (0,)


def test_nobody_gets_in_without_the_password(postgres: Postgres) -> None:
    postgres.start(ends_with_us=True)
    stranger = postgres.url(APPLICATION).replace(f"{APPLICATION}:", f"{APPLICATION}:x")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(stranger)


def test_it_listens_on_no_network_address(postgres: Postgres) -> None:
    postgres.start(ends_with_us=True)

    with psycopg.connect(postgres.url(APPLICATION)) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_a_killed_server_starts_again_with_its_data(postgres: Postgres) -> None:
    postgres.start(ends_with_us=True)
    with psycopg.connect(postgres.url(OWNER)) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    pid = postgres.pid()
    assert pid is not None

    processes.send(pid, signal.SIGKILL)
    processes.wait_until_gone([pid], seconds=5)
    postgres.start(ends_with_us=True)

    with psycopg.connect(postgres.url(APPLICATION)) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_the_note_of_a_dead_server_whose_number_a_stranger_has_now_is_no_obstacle(
    postgres: Postgres, state: State
) -> None:
    postgres.start(ends_with_us=True)
    postgres.stop()
    folder = state.root / "postgres"
    for note in (folder / "data" / "postmaster.pid", folder / ".s.PGSQL.5432.lock"):
        note.write_text(f"{os.getpid()}\n{folder / 'data'}\n1\n5432\n{folder}\n\n\n")

    assert postgres.pid() is None
    postgres.start(ends_with_us=True)

    assert postgres.pid() not in {None, os.getpid()}


def test_an_interrupted_first_start_is_never_taken_for_a_cluster(postgres: Postgres, state: State) -> None:
    half = state.root / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    postgres.start(ends_with_us=True)

    assert postgres.pid() is not None
    assert not half.exists()


def test_a_cluster_whose_secrets_are_lost_is_named_and_kept(postgres: Postgres, state: State) -> None:
    postgres.start(ends_with_us=True)
    state.secrets.unlink()
    other = Postgres(state, secret_file.passwords(secret_file.ensure(state)), durable=False)

    with pytest.raises(StartError, match=r"made with other secrets .* bring that file back"):
        other.start(ends_with_us=True)


@only_root
def test_a_disk_that_fills_up_while_the_cluster_is_made_is_named(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State(small_disk / "var")
    state.prepare()
    server = Postgres(state, secret_file.passwords(secret_file.ensure(state)), durable=False)
    with pytest.raises(DiskFullError, match=r"\d+ MB left and 200 MB are needed"):
        server.start(ends_with_us=True)
    monkeypatch.setattr(State, "require_space", lambda *_: None)  # it was not yet full when asked

    with pytest.raises(DiskFullError, match="The disk is full"):
        server.start(ends_with_us=True)

    assert not (state.root / "postgres" / "data").exists()
    assert not (state.root / "postgres" / "data.new").exists()


@only_root
def test_where_user_namespaces_are_forbidden_root_lets_nobody_run_it(
    monkeypatch: pytest.MonkeyPatch, open_folder: Path
) -> None:
    monkeypatch.setattr(binaries, "USER_NAMESPACE", ("false",))
    state = State(open_folder / "var")
    state.prepare()
    server = Postgres(state, secret_file.passwords(secret_file.ensure(state)), durable=False)

    try:
        server.start(ends_with_us=True)
        pid = server.pid()
        assert pid is not None
        assert Path(f"/proc/{pid}").stat().st_uid == 65534
        with psycopg.connect(server.url(APPLICATION)) as connection:
            assert connection.execute("SELECT current_user").fetchone() == (APPLICATION,)
    finally:
        server.stop()

"""The folder that a development installation writes to."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kellexa_portal.dev import secret_file
from kellexa_portal.dev.state import (
    SOCKET_PATH_LIMIT,
    DiskFullError,
    HeldError,
    StartError,
    State,
    lock,
    socket_folder,
    write_private,
)


@pytest.fixture
def deep_folder(tmp_path: Path) -> Path:
    """A folder whose path is too long for a socket."""
    return tmp_path / ("deep" * 30)


@pytest.fixture
def temporary_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A shared temporary folder of the test's own, with a short path as the system's has."""
    with tempfile.TemporaryDirectory(prefix="kx") as folder:
        monkeypatch.setattr("tempfile.tempdir", folder)
        yield Path(folder)


def test_sockets_lie_in_the_state_folder_where_its_path_is_short_enough() -> None:
    folder = Path("/srv/portal/var/postgres")

    assert socket_folder(folder, owner=os.getuid()) == folder


def test_a_deep_checkout_gets_a_short_private_folder_for_its_sockets(
    deep_folder: Path, temporary_folder: Path
) -> None:
    folder = socket_folder(deep_folder, owner=os.getuid())

    assert folder.parent == temporary_folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(str(folder / ".s.PGSQL.5432.lock")) <= SOCKET_PATH_LIMIT
    assert socket_folder(deep_folder, owner=os.getuid()) == folder


def test_a_socket_folder_that_others_may_enter_is_refused(deep_folder: Path, temporary_folder: Path) -> None:
    socket_folder(deep_folder, owner=os.getuid()).chmod(0o755)

    with pytest.raises(StartError, match="not a private folder"):
        socket_folder(deep_folder, owner=os.getuid())


def test_a_link_planted_in_place_of_the_socket_folder_is_refused(
    deep_folder: Path, temporary_folder: Path, tmp_path: Path
) -> None:
    folder = socket_folder(deep_folder, owner=os.getuid())
    folder.rmdir()
    trap = tmp_path / "trap"
    trap.mkdir(mode=0o700)
    folder.symlink_to(trap)

    with pytest.raises(StartError, match="not a private folder"):
        socket_folder(deep_folder, owner=os.getuid())


def test_secrets_are_made_once_and_readable_by_their_owner_only(state: State) -> None:
    first = secret_file.ensure(state)

    assert secret_file.ensure(state) == first
    assert stat.S_IMODE(state.secrets.stat().st_mode) == 0o600


def test_a_secret_that_a_newer_version_needs_is_added_and_the_others_are_kept(state: State) -> None:
    first = secret_file.ensure(state)
    lines = state.secrets.read_text().splitlines(keepends=True)
    write_private(state.secrets, "".join(line for line in lines if not line.startswith("TOKEN_PEPPERS=")))

    second = secret_file.ensure(state)

    assert second["TOKEN_PEPPERS"] != first["TOKEN_PEPPERS"]
    assert {**second, "TOKEN_PEPPERS": ""} == {**first, "TOKEN_PEPPERS": ""}


def test_the_portal_is_not_told_the_databases_own_passwords(state: State) -> None:
    told = secret_file.of_the_portal(secret_file.ensure(state))

    assert set(told) == {"SECRET_KEY", "KEYRING", "TOKEN_PEPPERS", "AUDIT_SIGNING_KEY"}


def test_a_lock_is_refused_while_another_process_holds_it(state: State) -> None:
    path = state.run / "some.lock"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                "import sys, pathlib; from kellexa_portal.dev.state import lock\n"
                "with lock(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
            ),
            str(path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()

        with pytest.raises(HeldError), lock(path):
            pass

        holder.kill()
    with lock(path):  # the kernel freed it
        pass


def test_a_disk_without_room_is_named_before_anything_is_written(state: State) -> None:
    with pytest.raises(DiskFullError, match=r"MB left and \d+ MB are needed"):
        state.require_space(10**9)

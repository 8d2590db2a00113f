"""Private installations for the tests of the development stack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kellexa_portal.dev import secret_file
from kellexa_portal.dev.postgres import Postgres
from kellexa_portal.dev.stack import Stack
from kellexa_portal.dev.state import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    """An empty state folder."""
    state = State(tmp_path / "var")
    state.prepare()
    return state


@pytest.fixture
def postgres(state: State) -> Iterator[Postgres]:
    """An embedded PostgreSQL, not yet started."""
    server = Postgres(state, secret_file.passwords(secret_file.ensure(state)), durable=False)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A whole running portal on its embedded pair; each test leaves it running."""
    stack = Stack(state_dir=tmp_path_factory.mktemp("stack"), embedded=True)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()

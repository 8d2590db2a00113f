"""A pair of servers for one test run, without durability, gone with the process that asked for it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .services import Services
from .state import State

# Names the addresses that were made for this run, for tests that start a whole stack of their own.
MARK = "KELLEXA_THROW_AWAY"


@contextmanager
def pair() -> Iterator[None]:
    """Sets ``DATABASE_URL`` and ``REDIS_URL`` for the block, starting a server for each that is not given.

    Processes started within inherit the addresses; each test process makes a database of its own.
    """
    missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)]
    if not missing:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="kellexa-") as folder:
        state = State(Path(folder))
        state.prepare()
        services = Services(state, given=os.environ, durable=False, as_superuser=True)
        try:
            services.start(ends_with_us=True)
            os.environ.update({name: services.environment()[name] for name in missing})
            os.environ[MARK] = ",".join(missing)
            yield
        finally:
            services.stop()
            for name in (*missing, MARK):
                os.environ.pop(name, None)


def ensure() -> None:
    """``pair`` for the rest of this process, where its end cannot be wrapped in a block."""
    stack = ExitStack()
    atexit.register(stack.close)
    stack.enter_context(pair())


def given(variables: Mapping[str, str]) -> dict[str, str]:
    """The server addresses among ``variables`` that a person chose, throw-away ones aside."""
    made_here = variables.get(MARK, "").split(",")
    return {
        name: variables[name]
        for name in ("DATABASE_URL", "REDIS_URL")
        if variables.get(name) and name not in made_here
    }


def state_folder() -> str:
    """A folder for what the tested code writes; a test never touches the mail or secrets of a checkout.

    Made once for a run and inherited by its worker processes.
    """
    folder = os.environ.get("KELLEXA_TEST_STATE_DIR")
    if not folder:
        folder = tempfile.mkdtemp(prefix="kellexa-test-")
        os.environ["KELLEXA_TEST_STATE_DIR"] = folder
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder

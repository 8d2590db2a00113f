"""``python -m kellexa_portal.dev COMMAND``: what the Makefile calls, in the virtual environment."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from . import commands
from .state import StartError

COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": commands.run,
    "stop": commands.stop,
    "test": commands.test,
    "check": commands.check,
    "bench": commands.bench,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kellexa_portal.dev", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--no-demo", action="store_true", help="run: start with an empty database")
    parser.add_argument("--throw-away", action="store_true", help="run: do not wait for the disk (tests)")
    parser.add_argument("rest", nargs="*", help="test: further words for pytest")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Runs one command; a foreseen failure is one message and status 1, never a traceback."""
    options = _parser().parse_args(words)
    try:
        return COMMANDS[options.command](options)
    except StartError as error:
        print(f"kellexa: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())

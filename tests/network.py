"""Refuses every connection beyond this machine, in this process and for good.

An audit hook cannot be undone or bypassed by another library's patching: a test that would reach the
Internet fails, on every machine alike.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any

LOOPBACK_BYTE = 127
_LOCAL_NAMES = {"", "localhost", "testserver"}


class NetworkBlockedError(RuntimeError):
    """A test tried to reach something beyond the loopback interface."""


def _is_local(host: object) -> bool:
    if host is None:
        return True
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if name in _LOCAL_NAMES:
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return _spells_this_machine(name)
    return address.is_loopback or address.is_unspecified


def _spells_this_machine(name: str) -> bool:
    """Whether ``name`` is one of the old spellings of 127.0.0.1, such as ``0x7f.1``."""
    try:
        return socket.inet_aton(name)[0] == LOOPBACK_BYTE
    except OSError:
        return False


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        sock, address = args
        if sock.family != socket.AF_UNIX and not _is_local(address[0]):
            raise NetworkBlockedError(f"connection to {address!r} refused: tests stay on this machine")
    elif event == "socket.getaddrinfo" and not _is_local(args[0]):
        raise NetworkBlockedError(f"look-up of {args[0]!r} refused: tests stay on this machine")


def block() -> None:
    """Installs the refusal; there is no way back within this process."""
    sys.addaudithook(_refuse)

"""Which address may be visited at all."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_CARRIERS = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))
"""Ranges of IPv6 that carry an address of IPv4 inside, by which a private one could be reached."""


class EgressError(Exception):
    """A visit that did not come about; the text is for logs and names no secret."""


class Refused(EgressError):
    """The address is not one that may be visited."""


class Unreachable(EgressError):
    """Nobody answered, not in time, or not in a way that can be read."""


class TooLarge(EgressError):
    """The answer is longer than was asked for."""


def is_allowed_by_setting(address: Address) -> bool:
    """Whether the operator has named the network of ``address`` in ``EGRESS_ALLOW``."""
    return any(address.version == network.version and address in network for network in settings.EGRESS_ALLOW)


def may_be_visited(address: Address) -> bool:
    """Whether ``address`` is public, or named by the operator. Closed by default."""
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return may_be_visited(mapped)
    if is_allowed_by_setting(address):
        return True
    if isinstance(address, ipaddress.IPv6Address) and any(address in carrier for carrier in _CARRIERS):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def resolve(host: str, port: int) -> Sequence[Address]:
    """Every address of ``host``; raises ``Refused`` if a single one of them may not be visited.

    A name that has a public address beside a private one was made so on purpose.
    """
    try:
        addresses: list[Address] = [ipaddress.ip_address(host)]
    except ValueError:
        addresses = _look_up(host, port)
    if not addresses or not all(map(may_be_visited, addresses)):
        raise Refused(f"{host!r} has an address that may not be visited")
    return addresses


def _look_up(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"the name {host!r} has no address") from error
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
    return [ipaddress.ip_address(text) for text in texts]

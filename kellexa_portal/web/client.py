"""The client's address, believed from a header only when a named proxy sent it (attack case 16)."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_network

from django.conf import settings
from django.http import HttpRequest

from kellexa_portal.core.addresses import IPV4, Address, Network, network_of, parse


@lru_cache(maxsize=8)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(text, strict=False) for text in texts)


def _is_trusted(address: Address) -> bool:
    return any(address in network for network in _networks(tuple(settings.TRUSTED_PROXIES)))


def comes_through_proxy(request: HttpRequest) -> bool:
    """Whether a trusted proxy sent the request, so that its headers may be believed."""
    address = parse(request.META.get("REMOTE_ADDR", ""))
    return address is not None and _is_trusted(address)


def ip_of(request: HttpRequest) -> str:
    """The client's address in canonical text, or ``""`` when the server gave none (a unix socket).

    Walks ``X-Forwarded-For`` from the right and stops at the first address that is not one of
    ``TRUSTED_PROXIES``; garbage in the header ends the walk at the last address believed.
    """
    address = parse(request.META.get("REMOTE_ADDR", ""))
    if address is None:
        return ""
    for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        if not _is_trusted(address):
            break
        earlier = parse(hop)
        if earlier is None:
            break
        address = earlier
    return str(address)


def prefix_of(ip: str) -> str:
    """The network that stands for the client ``ip`` (``network_of``), or ``""`` for no address."""
    address = parse(ip)
    return "" if address is None else str(network_of(address))


def limit_subject_of(ip: str) -> str:
    """What a limit counts for an address: the IPv4 address itself, the /64 of IPv6 (attack case 17)."""
    address = parse(ip)
    if address is None:
        return "unknown"
    return str(address if address.version == IPV4 else ip_network((address, 64), strict=False))

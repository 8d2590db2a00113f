"""The client's address, believed from a header only when a named proxy sent it (attack case 16)."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@lru_cache(maxsize=8)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(text, strict=False) for text in texts)


def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _is_trusted(address: Address) -> bool:
    return any(address in network for network in _networks(tuple(settings.TRUSTED_PROXIES)))


def comes_through_proxy(request: HttpRequest) -> bool:
    """Whether a trusted proxy sent the request, so that its headers may be believed."""
    address = _parse(request.META.get("REMOTE_ADDR", ""))
    return address is not None and _is_trusted(address)


def ip_of(request: HttpRequest) -> str:
    """The client's address in canonical text, or ``""`` when the server gave none (a unix socket).

    Walks ``X-Forwarded-For`` from the right and stops at the first address that is not one of
    ``TRUSTED_PROXIES``; garbage in the header ends the walk at the last address believed.
    """
    address = _parse(request.META.get("REMOTE_ADDR", ""))
    if address is None:
        return ""
    for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        if not _is_trusted(address):
            break
        earlier = _parse(hop)
        if earlier is None:
            break
        address = earlier
    return str(address)


def prefix_of(ip: str) -> str:
    """The network that stands for a client in limits and lists: /24 of IPv4, /48 of IPv6 (RFC 6177)."""
    address = _parse(ip) if ip else None
    if address is None:
        return ""
    return str(ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False))


def limit_subject_of(ip: str) -> str:
    """What a limit counts for an address: the IPv4 address itself, the /64 of IPv6 (attack case 17)."""
    address = _parse(ip) if ip else None
    if address is None:
        return "unknown"
    if address.version == 4:
        return str(address)
    return str(ip_network(f"{address}/64", strict=False))

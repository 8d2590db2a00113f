"""Internet addresses in one spelling, and the network that stands for an address; no request, no database."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

IPV4 = 4


def parse(text: str) -> Address | None:
    """The address in ``text``, or ``None`` for anything else; mapped IPv4 as IPv4, IPv6 without its zone.

    A zone (RFC 4007) names an interface of the machine that saw the packet: it says nothing to others,
    PostgreSQL refuses it, and it would give one address many spellings.
    """
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or IPv6Address(int(address))
    return address


def network_of(address: Address) -> Network:
    """The network that stands for a client in lists and evidence: /24 of IPv4, /48 of IPv6 (RFC 6177)."""
    return ip_network((address, 24 if address.version == IPV4 else 48), strict=False)

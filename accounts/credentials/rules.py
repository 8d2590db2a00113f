"""Pure decisions about API keys: states, dates, names, addresses. No database; ``now`` is an argument."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network

from accounts.identity.rules import visible
from kellexa_portal.core import addresses
from kellexa_portal.core.addresses import Address, Network

DEFAULT_LIFETIME = timedelta(days=90)
MAX_LIFETIME = timedelta(days=365)
EXPIRING_WITHIN = timedelta(days=14)
DEFAULT_OVERLAP = timedelta(hours=24)
MAX_OVERLAP = timedelta(days=7)
LAST_USED_EVERY = timedelta(minutes=1)
MAX_LIVE_IN_FAMILY = 2
MAX_NAME = 80
MAX_NETWORKS = 50

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co"})
"""Categories of Unicode: controls, bidirectional and joining marks, halves of pairs, private use."""


class State(StrEnum):
    """Where a key stands. The first three still work; a suspended one may work again."""

    ACTIVE = "active"
    EXPIRING = "expiring"
    RETIRING = "retiring"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    REVOKED = "revoked"


LIVE = frozenset({State.ACTIVE, State.EXPIRING, State.RETIRING})
UNENDED = LIVE | {State.SUSPENDED}
"""What takes up a place in a family: a suspended key may come back beside the others."""


def state_of(
    *,
    revoked_at: datetime | None,
    suspended_at: datetime | None,
    expires_at: datetime,
    is_replaced: bool,
    now: datetime,
) -> State:
    """The state at ``now``. A key works up to, and not at, ``expires_at`` (half-open).

    What has ended for good is never merely suspended: it must not look as if it could come back.
    """
    if revoked_at is not None:
        return State.REVOKED
    if expires_at <= now:
        return State.EXPIRED
    if suspended_at is not None:
        return State.SUSPENDED
    if is_replaced:
        return State.RETIRING
    return State.EXPIRING if expires_at - now <= EXPIRING_WITHIN else State.ACTIVE


def is_lifetime_allowed(expires_at: datetime, *, now: datetime) -> bool:
    """Whether a new key may live until ``expires_at``: some time from now, at most 365 days and one.

    The extra day is the rest of the last day, because people choose a date.
    """
    return now < expires_at <= now + MAX_LIFETIME + timedelta(days=1)


def rotate_by(*, created_at: datetime, expires_at: datetime, max_age: timedelta) -> datetime:
    """The instant by which a key is to be rotated: its expiry or its greatest age, the earlier."""
    lifetime = expires_at - created_at
    return created_at + min(lifetime, max_age)


def retirement(*, expires_at: datetime, overlap: timedelta, now: datetime) -> datetime:
    """When a rotated key ends. Never later than it would have ended anyway: a rotation only shortens."""
    return min(expires_at, now + overlap)


def successor_expiry(*, created_at: datetime, expires_at: datetime, now: datetime) -> datetime:
    """When a successor ends: as long from now as its predecessor was meant to live, within the maximum."""
    return now + min(expires_at - created_at, MAX_LIFETIME)


def clean_text(text: str, *, longest: int) -> str | None:
    """``text`` normalised (NFC, single spaces), or ``None`` if empty, too long or with hidden characters.

    Any space between words becomes one, a tab or a line break too. Controls and bidirectional marks are
    refused: a name appears in mails, logs and confirmations (CWE-150).
    """
    try:
        cleaned = visible(" ".join(text.split()), hidden=HIDDEN)
    except ValueError:
        return None
    return cleaned if 0 < len(cleaned) <= longest else None


class EveryAddress(ValueError):
    """A network that holds every address there is, which bounds nothing."""


def parse_network(text: str) -> Network:
    """One address or network; an IPv4 address written as IPv6 becomes IPv4. Raises ``ValueError``.

    Host bits are refused rather than cut: ``10.0.0.1/8`` is more often a slip for ``/32`` than a wish
    for sixteen million addresses. So is a network that holds everything.
    """
    if "%" in text:
        raise ValueError("zone")
    network = ip_network(text.strip(), strict=True)
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None:
        if network.prefixlen < 96:  # the ::ffff:0:0/96 of mapped addresses
            raise ValueError("mixed")
        network = ip_network(f"{network.network_address.ipv4_mapped}/{network.prefixlen - 96}", strict=True)
    if network.prefixlen == 0:
        raise EveryAddress(text)
    return network


def canonical_networks(texts: Iterable[str]) -> list[str]:
    """``texts`` sorted, without doubles and without those inside another; raises ``ValueError``."""
    networks = {parse_network(text) for text in texts}
    four = [network for network in networks if isinstance(network, IPv4Network)]
    six = [network for network in networks if isinstance(network, IPv6Network)]
    return [str(network) for network in [*_outermost(four), *_outermost(six)]]


def _outermost(networks: list[IPv4Network] | list[IPv6Network]) -> list[Network]:
    ordered: list[Network] = sorted(
        networks, key=lambda network: (network.network_address, network.prefixlen)
    )
    kept: list[Network] = []
    for network in ordered:
        if not kept or network.network_address not in kept[-1]:
            kept.append(network)
    return kept


def parse_address(text: str) -> Address | None:
    """The address in ``text``, or ``None`` for anything else; one with a zone is no public address."""
    return None if "%" in text else addresses.parse(text)


def is_address_allowed(text: str, *, networks: Iterable[str]) -> bool:
    """Whether ``text`` may use a key bound to ``networks``; an unknown address may not, if there are any."""
    bounds = list(networks)
    if not bounds:
        return True
    address = parse_address(text)
    return address is not None and any(address in ip_network(bound) for bound in bounds)

"""One spelling for every internet address."""

from __future__ import annotations

import pytest

from kellexa_portal.core import addresses


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7 ", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0::7", "2001:db8::7"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.7%eth0", "192.0.2.7"),
    ],
)
def test_an_address_has_one_spelling(text: str, spelling: str) -> None:
    assert str(addresses.parse(text)) == spelling


@pytest.mark.parametrize(
    "text", ["", " ", "localhost", "192.0.2", "010.0.0.1", "192.0.2.0/24", "::1%", "::\0"]
)
def test_anything_else_is_no_address(text: str) -> None:
    assert addresses.parse(text) is None


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2::7", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
    ],
)
def test_a_network_stands_for_its_addresses(text: str, network: str) -> None:
    address = addresses.parse(text)

    assert address is not None
    assert str(addresses.network_of(address)) == network

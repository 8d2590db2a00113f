"""The client's address is believed only from a named proxy."""

from __future__ import annotations

import pytest
from django.test import RequestFactory, override_settings

from kellexa_portal.web.client import ip_of, limit_subject_of, prefix_of

PROXY = "10.0.0.1"
CLIENT = "203.0.113.7"


def _ip(*, peer: str, forwarded: str | None = None) -> str:
    headers = {"x-forwarded-for": forwarded} if forwarded is not None else {}
    return ip_of(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))


@override_settings(TRUSTED_PROXIES=())
@pytest.mark.parametrize("forged", ["198.51.100.1", "garbage", "", "127.0.0.1, 10.0.0.1", "\x7f" * 40])
def test_a_header_from_a_stranger_changes_nothing(forged: str) -> None:
    assert _ip(peer=CLIENT, forwarded=forged) == CLIENT


@override_settings(TRUSTED_PROXIES=("10.0.0.0/8",))
def test_the_nearest_address_that_is_no_proxy_is_the_client() -> None:
    assert _ip(peer=PROXY, forwarded=f"198.51.100.1, {CLIENT}, 10.9.9.9") == CLIENT


@override_settings(TRUSTED_PROXIES=("10.0.0.0/8",))
def test_garbage_ends_the_walk_at_the_last_address_believed() -> None:
    assert _ip(peer=PROXY, forwarded="1.2.3.4, not-an-address") == PROXY


def test_a_mapped_address_counts_as_the_ipv4_address_it_is() -> None:
    assert _ip(peer=f"::ffff:{CLIENT}") == CLIENT


def test_a_unix_socket_has_no_address() -> None:
    assert _ip(peer="") == ""


def test_prefixes_hide_the_person_and_keep_the_network() -> None:
    assert prefix_of("203.0.113.7") == "203.0.113.0/24"
    assert prefix_of("2001:db8:1:2:3::9") == "2001:db8:1::/48"
    assert prefix_of("") == ""


def test_addresses_of_one_ipv6_subnet_share_a_limit() -> None:
    assert limit_subject_of("2001:db8::1") == limit_subject_of("2001:db8::ffff:1")
    assert limit_subject_of("2001:db8::1") != limit_subject_of("2001:db8:0:1::1")
    assert limit_subject_of("203.0.113.7") == "203.0.113.7"

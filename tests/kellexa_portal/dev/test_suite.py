"""What the suite promises of itself."""

from __future__ import annotations

import socket

import pytest
from django.conf import settings
from redis import Redis

from tests.network import NetworkBlockedError


@pytest.mark.parametrize("address", [("192.0.2.1", 443), ("10.0.0.1", 80), ("2001:db8::1", 443)])
def test_a_connection_beyond_this_machine_is_refused(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET

    with socket.socket(family) as client, pytest.raises(NetworkBlockedError):
        client.connect(address)


def test_a_name_beyond_this_machine_is_not_even_looked_up() -> None:
    with pytest.raises(NetworkBlockedError):
        socket.getaddrinfo("portal.kellexa.example", 443)


def test_this_machine_can_be_reached() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(("localhost", listener.getsockname()[1])) as client,
    ):
        assert client.getpeername() == listener.getsockname()


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_finds_redis_empty(turn: str) -> None:
    key = f"{settings.REDIS_KEY_PREFIX}left-behind"

    with Redis.from_url(settings.REDIS_URL) as redis:
        assert redis.get(key) is None
        redis.set(key, turn)

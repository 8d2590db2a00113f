"""Visits on a customer's word, to a server that means ill."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from kellexa_portal import egress
from kellexa_portal.egress import client, guard
from tests.support.web_server import Asked, Reply, WebServer

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


@pytest.fixture
def allowed(settings: Any) -> None:
    settings.EGRESS_ALLOW = LOOPBACK


def _serves(reply: Reply) -> Callable[[Asked], Reply]:
    return lambda _asked: reply


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::1",
        "2001:0:7f00:1::1",
    ],
)
def test_an_address_that_is_not_public_is_never_visited(settings: Any, address: str) -> None:
    settings.EGRESS_ALLOW = ()

    assert not guard.may_be_visited(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_a_public_address_may_be_visited(settings: Any, address: str) -> None:
    settings.EGRESS_ALLOW = ()

    assert guard.may_be_visited(ipaddress.ip_address(address))


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]"])
def test_no_spelling_of_this_machine_is_reached(settings: Any, scheme: str, host: str) -> None:
    settings.EGRESS_ALLOW = ()
    with WebServer(_serves(Reply())) as server:
        port = server.url.rpartition(":")[2]

        with pytest.raises(egress.EgressError):
            egress.fetch(f"{scheme}://{host}:{port}/")

        assert server.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "https://user@example.com/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://exämple.com/",
        "https://example.com/a b",
        "https://example.com/\r\nHost: evil",
        "//example.com/",
    ],
)
def test_what_is_no_plain_address_is_refused(url: str) -> None:
    with pytest.raises(egress.Refused):
        egress.fetch(url)


def test_a_name_with_one_private_address_is_refused(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rebinding name shows a public address first; all it has are judged."""
    settings.EGRESS_ALLOW = ()
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("93.184.215.14", "10.0.0.1")]
    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)

        with pytest.raises(egress.Refused):
            guard.resolve("rebind.example", 443)


def test_the_connection_goes_to_the_address_that_was_judged(
    allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebinding between look-up and connection finds no second look-up."""
    with WebServer(_serves(Reply(body=b"here"))) as server:
        port = int(server.url.rpartition(":")[2])
        looks: list[str] = []

        def look_up(host: str, *args: Any, **kwargs: Any) -> list[Any]:
            looks.append(host)
            address = "127.0.0.1" if host in {"idp.example", "127.0.0.1"} else "10.0.0.1"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

        with monkeypatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", look_up)
            answer = egress.fetch(f"http://idp.example:{port}/x")

        assert answer.body == b"here"
        assert looks.count("idp.example") == 1
        assert server.asked[0].headers["host"] == f"idp.example:{port}"


def test_a_redirect_is_not_followed(allowed: None) -> None:
    reply = Reply(status=302, headers={"Location": "http://127.0.0.1:1/"}, body=b"")
    with WebServer(_serves(reply)) as server:
        answer = egress.fetch(server.url)

        assert answer.status == 302
        assert len(server.asked) == 1


def test_an_answer_without_end_is_cut(allowed: None) -> None:
    def flood(write: Callable[[bytes], Any]) -> None:
        for _ in range(1000):
            write(b"x" * 65536)

    with WebServer(_serves(Reply(stream=flood))) as server, pytest.raises(egress.TooLarge):
        egress.fetch(server.url)


def test_an_answer_that_drips_meets_the_deadline(allowed: None) -> None:
    def drip(write: Callable[[bytes], Any]) -> None:
        for _ in range(100):
            write(b"x")
            time.sleep(0.05)

    with WebServer(_serves(Reply(stream=drip))) as server:
        started = time.monotonic()
        with pytest.raises(egress.Unreachable):
            egress.fetch(server.url, deadline=0.4)

        assert time.monotonic() - started < client.DEADLINE_SECONDS / 2


def test_nobody_there_is_unreachable(allowed: None) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]

    with pytest.raises(egress.Unreachable):
        egress.fetch(f"http://127.0.0.1:{port}/")


def test_a_certificate_of_nobody_is_refused(allowed: None) -> None:
    with WebServer(_serves(Reply())) as server, pytest.raises(egress.Unreachable):
        egress.fetch(server.url.replace("http://", "https://"))


def test_a_form_is_posted_whole(allowed: None) -> None:
    with WebServer(_serves(Reply())) as server:
        egress.fetch(server.url + "/token", method="POST", headers={"x-a": "b"}, body=b"a=1&b=2")

        asked = server.asked[0]
        assert (asked.method, asked.path, asked.body) == ("POST", "/token", b"a=1&b=2")
        assert asked.headers["x-a"] == "b"

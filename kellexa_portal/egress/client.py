"""One request to one address, within its limits; redirects are answers like any other."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpcore

from .guard import Refused, TooLarge, Unreachable, is_allowed_by_setting, resolve

DEADLINE_SECONDS = 10.0
CONNECT_SECONDS = 4.0
MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; ``body`` is whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every wait ends at one instant: a byte a second buys nobody time."""

    def __init__(self, stream: httpcore.NetworkStream, ends_at: float) -> None:
        self._stream, self._ends_at = stream, ends_at

    def _rest(self) -> float:
        rest = self._ends_at - time.monotonic()
        if rest <= 0:
            raise httpcore.ReadTimeout("deadline")
        return rest

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._rest())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._rest())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, min(CONNECT_SECONDS, self._rest()))
        return _TimedStream(secured, self._ends_at)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _GuardedBackend(httpcore.SyncBackend):
    """Connects to an address that was judged, never to a name that somebody resolves again."""

    def __init__(self, *, is_tls: bool, ends_at: float) -> None:
        self._is_tls, self._ends_at = is_tls, ends_at

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = resolve(host, port)
        if not self._is_tls and not all(map(is_allowed_by_setting, addresses)):
            raise Refused("only an address of EGRESS_ALLOW is visited without TLS")
        last: Exception = Unreachable("no address")
        for address in addresses:
            try:
                stream = super().connect_tcp(str(address), port, timeout, local_address, socket_options)
                return _TimedStream(stream, self._ends_at)
            except httpcore.ConnectError as error:
                last = error
        raise last

    def connect_unix_socket(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        raise Refused("a socket of this machine")


def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    deadline: float = DEADLINE_SECONDS,
    max_bytes: int = MAX_BYTES,
) -> Answer:
    """Asks ``url`` within ``deadline`` seconds for at most ``max_bytes``.

    Certificates are verified against the machine's store. ``http://`` is for ``EGRESS_ALLOW`` alone. Raises
    ``Refused``, ``Unreachable`` or ``TooLarge``.
    """
    target = _target(url)
    ends_at = time.monotonic() + deadline
    context = ssl.create_default_context()
    limits = {
        "connect": min(CONNECT_SECONDS, deadline),
        "read": deadline,
        "write": deadline,
        "pool": deadline,
    }
    sent = {"host": target.netloc, "accept-encoding": "identity", **(headers or {})}
    if body:
        sent["content-length"] = str(len(body))
    backend = _GuardedBackend(is_tls=target.scheme == "https", ends_at=ends_at)
    try:
        with (
            httpcore.ConnectionPool(ssl_context=context, network_backend=backend) as pool,
            pool.stream(
                method,
                url,
                headers=[(name.encode(), value.encode()) for name, value in sent.items()],
                content=body or None,
                extensions={"timeout": limits},
            ) as response,
        ):
            text = _read(response, max_bytes=max_bytes)
            found = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
            }
            return Answer(response.status, found, text)
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise Unreachable(type(error).__name__) from error


def _target(url: str) -> SplitResult:
    """The parts of ``url``; raises ``Refused`` for what is no plain address of the web."""
    try:
        target = urlsplit(url)
        is_plain = target.scheme in {"https", "http"} and bool(target.hostname) and target.port != 0
    except ValueError as error:
        raise Refused("not an address") from error
    if not is_plain or target.username is not None or not url.isascii() or any(c <= " " for c in url):
        raise Refused("not a plain https address")
    return target


def _read(response: httpcore.Response, *, max_bytes: int) -> bytes:
    read = bytearray()
    for chunk in response.iter_stream():
        read += chunk
        if len(read) > max_bytes:
            raise TooLarge(f"more than {max_bytes} bytes")
    return bytes(read)

"""What production refuses to start with."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from .keys import MAKE_ONE, KeyMap, parse_key
from .reader import Reader

if TYPE_CHECKING:
    from .config import Config

_SECRET_KEY_LENGTH = 50
_PASSWORD_LENGTH = 12
_SHORTEST_REDACTED = 9  # production takes no shorter password; in development "postgres" stays readable
_PLACEHOLDER = re.compile(
    r"insecure|change.?me|replace.?me|example|placeholder|default|password|your.?secret", re.IGNORECASE
)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, repr=False)
class Secret:
    """One configured secret: the variable that holds it, as text or as key bytes."""

    name: str
    value: str | bytes

    def identity(self) -> bytes:
        """Equal for equal secrets, however they are spelt."""
        if isinstance(self.value, bytes):
            return self.value
        return parse_key(self.value) or self.value.encode()

    def spellings(self) -> Iterator[str]:
        """The texts that give the secret away: itself, percent-encoded, base64, hexadecimal."""
        if isinstance(self.value, str):
            if len(self.value) >= _SHORTEST_REDACTED:
                yield from {self.value, quote(self.value, safe="")}
            return
        yield base64.b64encode(self.value).decode().rstrip("=")
        yield base64.urlsafe_b64encode(self.value).decode().rstrip("=")
        yield self.value.hex()
        yield repr(self.value)[2:-1]


def _password(url: str) -> str:
    return unquote(urlsplit(url).password or "")


def _passwords(config: Config) -> Iterator[Secret]:
    yield Secret("DATABASE_URL", config.database.get("PASSWORD", ""))
    yield Secret("MIGRATION_DATABASE_URL", config.owner_database.get("PASSWORD", ""))
    yield Secret("REDIS_URL", _password(config.redis_url))
    yield Secret("EMAIL_URL", config.mail.get("PASSWORD", ""))


def secrets_of(config: Config) -> list[Secret]:
    """Every secret that is set."""

    def of_map(name: str, keys: KeyMap) -> Iterable[Secret]:
        return (Secret(name, key) for key in keys.values())

    candidates = [
        Secret("SECRET_KEY", config.secret_key),
        *of_map("KEYRING", config.keyring),
        *of_map("TOKEN_PEPPERS", config.token_peppers),
        Secret("AUDIT_SIGNING_KEY", config.audit_signing_key),
        *_passwords(config),
    ]
    return [secret for secret in candidates if secret.value]


def _refuse_weak(reader: Reader, config: Config) -> None:
    key = config.secret_key
    if key and (len(key) < _SECRET_KEY_LENGTH or len(set(key)) < _SECRET_KEY_LENGTH // 4):
        reader.fault("SECRET_KEY", f"is weak, it takes {_SECRET_KEY_LENGTH} random characters; {MAKE_ONE}")
    if _PLACEHOLDER.search(key):
        reader.fault("SECRET_KEY", f"is a placeholder from an example; {MAKE_ONE}")
    for secret in _passwords(config):
        if secret.value and (len(secret.value) < _PASSWORD_LENGTH or _PLACEHOLDER.search(str(secret.value))):
            reader.fault(
                secret.name, f"holds a weak password; take {_PASSWORD_LENGTH} random characters or more."
            )


def _refuse_open_servers(reader: Reader, config: Config) -> None:
    """A server that asks nobody for a password is the neighbour's too; a socket's folder has permissions."""
    for name, database in (
        ("DATABASE_URL", config.database),
        ("MIGRATION_DATABASE_URL", config.owner_database),
    ):
        host = database.get("HOST", "")
        if host and not host.startswith("/") and not database.get("PASSWORD"):
            reader.fault(name, "has no password; give the role one, or connect through a socket.")
    url = urlsplit(config.redis_url)
    if url.scheme in {"redis", "rediss"} and not url.password:
        reader.fault("REDIS_URL", "has no password; set one at the server, or connect through a socket.")
    if url.scheme == "redis" and (url.hostname or "localhost") not in _LOOPBACK:
        reader.fault("REDIS_URL", "sends its password in clear text; write rediss://.")


def _refuse_reused(reader: Reader, config: Config, leaked: Mapping[str, str]) -> None:
    users: dict[bytes, list[str]] = {}
    for secret in secrets_of(config):
        users.setdefault(secret.identity(), []).append(secret.name)
    for names in users.values():
        if len(names) > 1:
            holders = " and ".join(dict.fromkeys(names))
            reader.fault(holders, "the same secret is used more than once; give each purpose its own.")
    parts = (part for text in leaked.values() for part in text.split(","))
    known = {parse_key(part.rpartition(":")[2]) or part.encode() for part in parts}
    for identity in users.keys() & known:
        reader.fault(users[identity][0], f"is the one that `make run` made for development; {MAKE_ONE}")


def _refuse_roles(reader: Reader, config: Config) -> None:
    owner, application = config.owner_database, config.database
    if owner and application and owner["USER"] == application["USER"]:
        reader.fault(
            "MIGRATION_DATABASE_URL",
            "uses the role of DATABASE_URL; the running portal must own no table, give it a role of its own.",
        )


def _refuse_exposure(reader: Reader, config: Config) -> None:
    if config.is_debug:
        reader.fault("DEBUG", "shows the inside to anyone; unset it.")
    if "*" in config.allowed_hosts:
        reader.fault("ALLOWED_HOSTS", "answers to any name; list the host names, or leave it unset.")
    elif urlsplit(config.public_url).hostname not in config.allowed_hosts:
        reader.fault("ALLOWED_HOSTS", "leaves out the host of PUBLIC_URL; add it.")
    if any(network.endswith("/0") for network in config.trusted_proxies):
        reader.fault("TRUSTED_PROXIES", "believes everyone; name the proxies' own addresses.")
    host = config.mail.get("HOST", "")
    if config.mail and not (config.mail["USE_TLS"] or config.mail["USE_SSL"]) and host not in _LOOPBACK:
        reader.fault("EMAIL_URL", "sends mail in clear text; write smtp+tls:// or smtp+ssl://.")


def refuse(reader: Reader, config: Config, *, leaked: Mapping[str, str]) -> None:
    """Notes as faults what would run and yet be unsafe; ``leaked`` are a development checkout's secrets."""
    _refuse_weak(reader, config)
    _refuse_reused(reader, config, leaked)
    _refuse_open_servers(reader, config)
    _refuse_roles(reader, config)
    _refuse_exposure(reader, config)

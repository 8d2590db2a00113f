"""The whole environment as one checked value."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from . import addresses, keys, production
from .keys import KeyMap
from .mode import acts_as_owner, state_dir
from .reader import EnvironmentFault, Reader


@dataclass(frozen=True, repr=False)
class Config:
    """What settings.py needs of the environment; built by ``load`` only, its ``repr`` is bare."""

    is_development: bool
    is_debug: bool
    state_dir: Path
    public_url: str
    allowed_hosts: list[str]
    trusted_proxies: tuple[str, ...]
    secret_key: str
    keyring: KeyMap
    token_peppers: KeyMap
    audit_signing_key: bytes
    database: dict[str, Any]
    owner_database: dict[str, Any]
    acts_as_owner: bool
    pool_size: int
    redis_url: str
    mail: dict[str, Any]
    mail_from: str
    geoip_database: str
    geoip_asn_database: str
    egress_allow: tuple[str, ...]
    dns_resolvers: tuple[tuple[str, int], ...]

    def databases(self) -> dict[str, dict[str, Any]]:
        """``default``, and ``independent``: the same database over connections of its own.

        Evidence of a denied or failed attempt is written on ``independent`` so that it survives the
        caller's rollback; a pool of its own keeps a caller that holds the last connection of
        ``default`` from waiting for itself. The owner's role never pools.
        """
        database = self.owner_database or self.database if self.acts_as_owner else self.database
        pool = 0 if self.acts_as_owner else self.pool_size
        return {
            "default": addresses.connection(database, pool=pool),
            "independent": addresses.connection(database, pool=(pool + 1) // 2, mirror="default"),
        }

    def cache(self) -> dict[str, Any]:
        """Django's cache on the Redis-compatible server."""
        return {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": self.redis_url,
            "KEY_PREFIX": "kellexa",
        }

    def email(self) -> dict[str, Any]:
        """Django's ``EMAIL_*`` settings, without the prefix; empty where mail becomes files."""
        return dict(self.mail)

    @property
    def celery_broker_url(self) -> str:
        """The same server as Celery spells it."""
        return addresses.celery_url(self.redis_url)

    def secret_values(self) -> tuple[str, ...]:
        """Every configured secret in each spelling that could reach a log; for redaction alone."""
        return tuple(spelling for secret in production.secrets_of(self) for spelling in secret.spellings())


def _read(reader: Reader, *, is_development: bool, state: Path) -> Config:
    public_url = addresses.read_public_url(reader, is_development=is_development)
    is_owner = acts_as_owner()
    needs_owner = "this command connects as the owner of the tables." if is_owner else ""
    return Config(
        is_development=is_development,
        is_debug=reader.flag("DEBUG"),
        state_dir=state,
        public_url=public_url,
        allowed_hosts=addresses.read_allowed_hosts(reader, public_url, is_development=is_development),
        trusted_proxies=reader.networks("TRUSTED_PROXIES"),
        secret_key=reader.text("SECRET_KEY", remedy=keys.MAKE_ONE),
        keyring=keys.read_keys(reader, "KEYRING"),
        token_peppers=keys.read_keys(reader, "TOKEN_PEPPERS"),
        audit_signing_key=keys.read_signing_key(reader, "AUDIT_SIGNING_KEY"),
        database=addresses.read_database(
            reader,
            "DATABASE_URL",
            remedy="name the PostgreSQL database, postgres://… (`make run` brings one).",
        ),
        owner_database=addresses.read_database(
            reader, "MIGRATION_DATABASE_URL", remedy="" if is_development else needs_owner
        ),
        acts_as_owner=is_owner,
        pool_size=reader.number("DB_POOL_SIZE", default=10, least=2, most=200),
        redis_url=addresses.read_redis(reader, "REDIS_URL"),
        mail=addresses.read_mail(
            reader, "EMAIL_URL", remedy="" if is_development else "name the mail server, smtp+tls://…"
        ),
        mail_from=reader.text("MAIL_FROM") or f"Kellexa <no-reply@{urlsplit(public_url).hostname}>",
        geoip_database=_read_path(reader, "GEOIP_DATABASE"),
        geoip_asn_database=_read_path(reader, "GEOIP_ASN_DATABASE"),
        egress_allow=reader.networks("EGRESS_ALLOW"),
        dns_resolvers=reader.hosts("DNS_RESOLVERS", port=53),
    )


def _read_path(reader: Reader, name: str) -> str:
    """The path of a file that may be left out, but not be missing once it is named."""
    path = reader.text(name)
    if path and not Path(path).is_file():
        reader.fault(name, "names no file; give the path of a database in MaxMind's format, or leave it out.")
    return path


def load(variables: MutableMapping[str, str] = os.environ) -> Config:
    """The whole environment, checked.

    Raises ``EnvironmentFault`` with every fault found.
    """
    reader = Reader(variables)
    mode = reader.text("KELLEXA_MODE")
    if mode not in {"", "development", "production"}:
        reader.fault("KELLEXA_MODE", "is unknown; write development or production.")
    is_development = mode == "development"  # only manage.py infers it, see mode.py
    if is_development:
        keys.fill_in_development_secrets(variables)
    config = _read(reader, is_development=is_development, state=state_dir(variables))
    if not is_development:
        production.refuse(reader, config, leaked=keys.development_secrets(variables))
    if reader.faults:
        raise EnvironmentFault(reader.faults)
    return config

"""Addresses of the portal itself and of the servers it uses, as Django, redis-py and Celery spell them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import environ

from .reader import Reader

_MAIL_SCHEMES = ("smtp", "smtp+tls", "smtp+ssl")
_MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


def read_database(reader: Reader, name: str, *, remedy: str = "") -> dict[str, Any]:
    """Django's settings of a PostgreSQL URL; the host may be a socket's folder, percent-encoded."""
    url = reader.url(name, ("postgres", "postgresql"), remedy=remedy)
    if url is None:
        return {}
    userinfo, at, host = url.netloc.rpartition("@")
    socket, port = "", ""
    if host.lower().startswith("%2f"):
        folder, _, port = host.partition(":")
        socket = unquote(folder)
        url = urlsplit(urlunsplit((url.scheme, f"{userinfo}{at}localhost", url.path, url.query, "")))
    config: dict[str, Any] = environ.Env.db_url_config(url.geturl(), engine="django.db.backends.postgresql")
    options = config.setdefault("OPTIONS", {})
    config["HOST"] = socket or options.pop("host", config["HOST"])
    config["PORT"] = port or options.pop("port", config["PORT"])
    if not config["NAME"]:
        reader.fault(name, "names no database; add its name as the path.")
    return config


def connection(database: Mapping[str, Any], *, pool: int, mirror: str = "") -> dict[str, Any]:
    """One entry of ``DATABASES``; a pooled connection is checked before it is lent.

    ``server_side_binding`` stays off: it breaks some of Django's own queries.
    """
    options = {"connect_timeout": 5, "application_name": "kellexa", **database.get("OPTIONS", {})}
    if pool:
        options["pool"] = {"min_size": 1, "max_size": pool, "timeout": 10, "max_idle": 300}
    entry = {**database, "OPTIONS": options, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
    if mirror:
        entry["TEST"] = {"MIRROR": mirror}
    return entry


def read_redis(reader: Reader, name: str) -> str:
    """The URL of a Redis-compatible server: ``redis://``, ``rediss://`` or ``unix:///path``."""
    url = reader.url(name, ("redis", "rediss", "unix"), remedy="name the Redis-compatible server, redis://…")
    if url is None:
        return ""
    if url.scheme == "unix" and not url.path:
        reader.fault(name, "names no socket; write unix:///path/of/the/socket.")
    return reader.text(name)


def celery_url(redis_url: str) -> str:
    """``redis_url`` as Celery spells it: sockets as ``redis+socket``, certificates always verified."""
    url = urlsplit(redis_url)
    query = dict(parse_qsl(url.query))
    if url.scheme == "unix":
        return f"redis+socket://{url.netloc}{url.path}?{urlencode({'virtual_host': query.get('db', '0')})}"
    if url.scheme == "rediss":
        verified = urlencode({"ssl_cert_reqs": "required", **query})
        return urlunsplit((url.scheme, url.netloc, url.path, verified, ""))
    return redis_url


def read_mail(reader: Reader, name: str, *, remedy: str = "") -> dict[str, Any]:
    """Django's ``EMAIL_*`` settings of an SMTP URL, without the prefix; empty when unset."""
    url = reader.url(name, _MAIL_SCHEMES, remedy=remedy)
    if url is None:
        return {}
    if not url.hostname:
        reader.fault(name, "names no server; write smtp+tls://user:password@host:587.")
    config = environ.Env.email_url_config(url.geturl())
    return {
        "BACKEND": config["EMAIL_BACKEND"],
        "HOST": config["EMAIL_HOST"] or "",
        "PORT": config["EMAIL_PORT"] or _MAIL_PORTS[url.scheme],
        "USER": config["EMAIL_HOST_USER"] or "",
        "PASSWORD": config["EMAIL_HOST_PASSWORD"] or "",
        "USE_TLS": url.scheme == "smtp+tls",
        "USE_SSL": url.scheme == "smtp+ssl",
    }


def _is_origin(url: SplitResult) -> bool:
    return (
        bool(url.hostname) and url.path in {"", "/"} and not (url.query or url.fragment or "@" in url.netloc)
    )


def read_public_url(reader: Reader, *, is_development: bool) -> str:
    """The origin that mails and redirects name: scheme and host, no slash at the end."""
    port = reader.number("PORT", default=8000, least=1, most=65535)
    remedy = "" if is_development else "write the https:// address that people see."
    url = reader.url("PUBLIC_URL", ("http", "https") if is_development else ("https",), remedy=remedy)
    if url is None:
        return f"http://localhost:{port}"
    if not _is_origin(url):
        reader.fault("PUBLIC_URL", "must be scheme and host alone, without path, query or user.")
    return f"{url.scheme}://{url.netloc}"


def read_allowed_hosts(reader: Reader, public_url: str, *, is_development: bool) -> list[str]:
    """The host names that are answered: those listed, else that of ``PUBLIC_URL``."""
    own = urlsplit(public_url).hostname or ""
    hosts = reader.items("ALLOWED_HOSTS") or [own]
    if is_development:
        hosts += [host for host in (own, *_LOOPBACK_NAMES) if host not in hosts]
    return hosts

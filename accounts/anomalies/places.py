"""Where an address is and who runs its network, from optional databases in MaxMind's format.

Without a database every place is unknown, and no service is ever asked. A database may be replaced while the
portal runs: the new file is read at the next question.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import maxminddb
from django.conf import settings
from django.core import checks

logger = logging.getLogger(__name__)

SETTINGS = ("GEOIP_DATABASE", "GEOIP_ASN_DATABASE")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address is; ``radius_km`` is the database's own accuracy, ``None`` where it names none."""

    latitude: float
    longitude: float
    radius_km: float | None
    name: str


@lru_cache(maxsize=4)
def _opened(path: str, version: int) -> maxminddb.Reader:
    """The database as it was at ``version`` (the file's time), which makes a replaced file another key."""
    return maxminddb.open_database(path)


def _record(setting: str, address: str) -> dict[str, Any]:
    """What the database says of ``address``; nothing without a database or while it can't be read."""
    path = getattr(settings, setting)
    if not path or not address:
        return {}
    try:
        found = _opened(path, Path(path).stat().st_mtime_ns).get(str(ip_network(address).network_address))
    except (OSError, ValueError, maxminddb.InvalidDatabaseError):
        logger.warning("places_unreadable", extra={"setting": setting})
        return {}
    return found if isinstance(found, dict) else {}


def is_known_at_all() -> bool:
    """Whether a database of places is configured."""
    return bool(settings.GEOIP_DATABASE)


def place_of(address: str) -> Place | None:
    """The place of an address, or of a network by its first address; ``None`` where it is unknown."""
    record = _record("GEOIP_DATABASE", address)
    location = record.get("location", {})
    try:
        latitude, longitude = float(location["latitude"]), float(location["longitude"])
        radius = location.get("accuracy_radius")
        return Place(latitude, longitude, None if radius is None else float(radius), _name(record))
    except (KeyError, TypeError, ValueError):
        return None


def network_of(prefix: str) -> str:
    """What tells networks apart: the operator's number where it is known, else the prefix itself."""
    number = _record("GEOIP_ASN_DATABASE", prefix).get("autonomous_system_number")
    return f"AS{number}" if isinstance(number, int) else prefix


def _name(record: dict[str, Any]) -> str:
    """The town and the country in English, as far as the database names them."""
    names = (record.get(part, {}).get("names", {}).get("en", "") for part in ("city", "country"))
    return ", ".join(str(name) for name in names if name)


def check_databases(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """An error for each configured database that can't be read: better at the start than never noticed."""
    return [
        checks.Error(f"{setting} names a file that is no readable MaxMind database.", id="anomalies.E001")
        for setting in SETTINGS
        if getattr(settings, setting) and not _can_be_read(getattr(settings, setting))
    ]


def _can_be_read(path: str) -> bool:
    try:
        maxminddb.open_database(path).close()
    except (OSError, ValueError, maxminddb.InvalidDatabaseError):
        return False
    return True


def register_check() -> None:
    """Adds ``check_databases`` to ``manage.py check`` and to every start."""
    checks.register(check_databases)

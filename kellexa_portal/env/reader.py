"""Reads variables one by one and gathers what is wrong with them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured

_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"", "0", "false", "no", "off"})


class EnvironmentFault(ImproperlyConfigured):
    """All that is wrong with the environment; each line names a variable and the remedy, never a value."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        lines = "\n".join(f"  - {fault}" for fault in self.faults)
        super().__init__(
            f"The environment has {len(self.faults)} fault(s), see docs/configuration.md:\n{lines}"
        )


class Reader:
    """Gives values, and collects faults instead of raising at the first."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.faults: list[str] = []

    def fault(self, name: str, remedy: str) -> None:
        """Notes one fault; ``remedy`` says what to do and holds no value."""
        line = f"{name}: {remedy}"
        if line not in self.faults:
            self.faults.append(line)

    def text(self, name: str, *, remedy: str = "") -> str:
        """The value of ``NAME`` or of the file that ``NAME_FILE`` names; empty counts as unset.

        With a ``remedy`` the variable is required. One trailing line break of a file is not part of it.
        """
        value, path = self._variables.get(name, ""), self._variables.get(f"{name}_FILE", "")
        if value and path:
            self.fault(name, f"is set twice; keep either {name} or {name}_FILE.")
        elif path:
            return self._file(name, path)
        if not value and remedy:
            self.fault(name, f"is missing; {remedy}")
        return value

    def _file(self, name: str, path: str) -> str:
        try:
            value = Path(path).read_bytes().decode().removesuffix("\n").removesuffix("\r")
        except (OSError, ValueError):
            self.fault(f"{name}_FILE", "cannot be read as UTF-8 text; check the path and its permissions.")
            return ""
        if not value:
            self.fault(f"{name}_FILE", "names an empty file; write the value into it.")
        return value

    def flag(self, name: str) -> bool:
        """True or false; unset is false."""
        value = self.text(name).lower()
        if value not in _YES | _NO:
            self.fault(name, "is neither true nor false; write one of these.")
        return value in _YES

    def number(self, name: str, *, default: int, least: int, most: int) -> int:
        """A whole number within bounds."""
        value = self.text(name)
        if not value:
            return default
        is_number = value.isascii() and value.isdigit() and len(value) <= len(str(most))
        if not is_number or not least <= int(value) <= most:
            self.fault(name, f"must be a whole number from {least} to {most}.")
            return default
        return int(value)

    def items(self, name: str) -> list[str]:
        """The parts of a comma separated list."""
        return [item.strip() for item in self.text(name).split(",") if item.strip()]

    def networks(self, name: str) -> tuple[str, ...]:
        """Addresses and networks in CIDR notation, in canonical text."""
        networks = []
        for place, item in enumerate(self.items(name), start=1):
            try:
                networks.append(str(ipaddress.ip_network(item, strict=False)))
            except ValueError:
                self.fault(name, f"item {place} is neither an address nor a network such as 10.0.0.0/8.")
        return tuple(networks)

    def hosts(self, name: str, *, port: int) -> tuple[tuple[str, int], ...]:
        """Addresses, each with a port of its own after a colon or with ``port``; IPv6 in brackets."""
        found = []
        for place, item in enumerate(self.items(name), start=1):
            try:
                parts = urlsplit(f"//{item}")
                found.append((str(ipaddress.ip_address(parts.hostname or "")), parts.port or port))
            except ValueError:
                self.fault(name, f"item {place} is no address such as 10.0.0.2 or 10.0.0.2:5353.")
        return tuple(found)

    def url(self, name: str, schemes: Sequence[str], *, remedy: str = "") -> SplitResult | None:
        """A URL with one of ``schemes``, or ``None`` where it is unset or at fault."""
        value = self.text(name, remedy=remedy)
        if not value:
            return None
        try:
            url = urlsplit(value)
            _ = url.port
        except ValueError:
            self.fault(name, "is not a URL; percent-encode special characters of the password.")
            return None
        if url.scheme not in schemes:
            self.fault(name, f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}.")
            return None
        return url

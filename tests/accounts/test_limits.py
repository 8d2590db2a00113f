"""docs/limits.md is the running portal: every row true, and no limit without a row."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings

import accounts
from accounts.sessions.rules import Limits
from kellexa_portal.ratelimit import Limit

DOCUMENT = Path(settings.BASE_DIR) / "docs" / "limits.md"
ROW = re.compile(
    r"^\| (?P<name>.+?) \| (?P<value>\d+) \| (?P<unit>.+?) \| `(?P<where>[\w.]+)` \| (?P<source>.+?) \|$"
)
PERIOD = re.compile(r"in (?P<count>\d+) (?P<unit>\w+?)s?")
UNITS = ("seconds", "minutes", "hours", "days")

OF_LIMITS = frozenset(
    ["budgets", "challenges", "known_browser", "limits", "passwords", "quarantine", "rules", "webauthn"]
)
"""Modules whose every number and period is a limit unless it stands in ``NO_LIMIT``."""

NO_LIMIT = {
    "accounts.anomalies.rules.HOUR": "a unit",
    "accounts.anomalies.rules.LOOK_BACK": "ADR 0014",
    "accounts.identity.known_browser.NAME_DIGITS": "a length of a cookie's name",
    "accounts.mfa.rules.RECOVERY_GROUP": "a way to write a code",
    "accounts.rotation.rules.SATURDAY": "a day of the week",
    "accounts.sessions.rules.LEVEL_ONE_FACTOR": "a level",
    "accounts.sessions.rules.LEVEL_TWO_FACTORS": "a level",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    value: int
    unit: str
    where: str
    source: str


@cache
def _rows() -> tuple[Row, ...]:
    found = (ROW.fullmatch(line) for line in DOCUMENT.read_text(encoding="utf-8").splitlines())
    return tuple(
        Row(row["name"], int(row["value"]), row["unit"], row["where"], row["source"]) for row in found if row
    )


def _running(path: str) -> Any:
    """The value at an import path, which may go on into the fields of an object."""
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            value: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            value = getattr(value, name)
        return value
    raise AssertionError(f"'{path}' leads nowhere.")


def _documented(row: Row) -> object:
    """What the row promises, as the kind of value that stands in the code."""
    period = PERIOD.fullmatch(row.unit)
    if period is not None:
        return (row.value, timedelta(**{f"{period['unit']}s": int(period["count"])}))
    value = _running(row.where)
    if isinstance(value, timedelta):
        assert row.unit in UNITS, row
        return timedelta(**{row.unit: row.value})
    return row.value


def _told(value: object) -> object:
    return (value.budget, value.period) if isinstance(value, Limit) else value


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.where)
def test_a_documented_limit_is_the_running_one(row: Row) -> None:
    assert _told(_running(row.where)) == _documented(row)


def test_no_limit_stands_in_two_rows() -> None:
    places = [row.where for row in _rows()]

    assert len(places) == len(set(places)) > 80


def test_every_line_of_the_table_is_read() -> None:
    lines = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("|")]

    assert len(lines) == len(_rows()) + 2


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(accounts.__path__, f"{accounts.__name__}."):
        if not {"migrations", "management", "data"} & set(found.name.split(".")):
            yield importlib.import_module(found.name)


def _is_number(name: str, value: object) -> bool:
    return name.isupper() and isinstance(value, int | timedelta) and not isinstance(value, bool)


def _declared(module: ModuleType) -> Iterator[str]:
    """The limits that ``module`` itself declares, by their import paths."""
    text = Path(str(module.__file__)).read_text(encoding="utf-8")
    for name, value in vars(module).items():
        if not re.search(rf"^{name}(: [^=]+)? = ", text, re.MULTILINE):
            continue
        path = f"{module.__name__}.{name}"
        if isinstance(value, Limits) and is_dataclass(value):
            yield from (f"{path}.{field.name}" for field in fields(value))
        elif isinstance(value, Limit) or (
            module.__name__.rpartition(".")[2] in OF_LIMITS and _is_number(name, value)
        ):
            yield path


def test_no_limit_is_undocumented() -> None:
    declared = {path for module in _modules() for path in _declared(module)}
    documented = {row.where for row in _rows()}

    assert declared - documented == NO_LIMIT.keys()


def test_limits_have_names_of_their_own() -> None:
    """Two budgets of one name would be one budget."""
    names = [
        value.name
        for module in _modules()
        for path in _declared(module)
        if isinstance(value := _running(path), Limit)
    ]

    assert len(names) == len(set(names)) > 15

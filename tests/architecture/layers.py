"""The order of the house, read from the import contracts so that there is one map and not two."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def _contracts() -> dict[str, list[str]]:
    contracts = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]["contracts"]
    return {contract["id"]: contract["layers"] for contract in contracts if contract["type"] == "layers"}


def _siblings(layer: str) -> list[str]:
    return [re.sub(r"[()\s]", "", part) for part in layer.split("|")]


def _expanded() -> Iterator[list[str]]:
    """The layers from the roof down, each package of apps replaced by its own layers."""
    contracts = _contracts()
    for layer in contracts["house"]:
        packages = [name for name in _siblings(layer) if name in contracts]
        if not packages:
            yield _siblings(layer)
        for package in packages:
            for inner in contracts[package]:
                yield [f"{package}.{name}" for name in _siblings(inner)]


def levels() -> dict[str, int]:
    """The level of every module of the map; a higher number stands higher in the house."""
    layers = list(_expanded())
    return {name: len(layers) - at for at, names in enumerate(layers) for name in names}


def may_know(higher: str, lower: str) -> bool:
    """Whether ``higher`` may point at ``lower``: itself, or something on a lower level."""
    level = levels()
    return higher == lower or level[higher] > level[lower]

"""``make bench``: runs every benchmark of this folder and keeps its numbers as JSON.

A benchmark is a module with ``run() -> Mapping[str, object]``. Its numbers are ratios against a plain
counterpart measured in the same run, because absolute times say more about the machine than about us.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import django

from tests import bench


def modules() -> Iterator[str]:
    """The names of the benchmarks, in order."""
    for found in sorted(pkgutil.iter_modules(bench.__path__), key=lambda module: module.name):
        if not found.name.startswith("_"):
            yield found.name


def main(target: Path) -> None:
    """Runs them one after the other, so that none is measured beside another."""
    django.setup()
    target.mkdir(parents=True, exist_ok=True)
    for name in modules():
        benchmark = importlib.import_module(f"{bench.__name__}.{name}")
        if not hasattr(benchmark, "run"):
            continue
        started = time.monotonic()
        result = dict(benchmark.run())
        file = target / f"{name}.json"
        file.write_text(json.dumps(result, indent=2, default=str) + "\n", encoding="utf-8")
        sys.stdout.write(f"{name} ({time.monotonic() - started:.1f} s) -> {file}\n")
        for key, value in result.items():
            sys.stdout.write(f"  {key}: {value}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "var/bench"))

"""Several requests at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connections


def at_once(count: int, work: Callable[[int], int]) -> list[int]:
    """Runs ``work`` in ``count`` threads that start together; answers their results."""
    barrier = Barrier(count)

    def run(index: int) -> int:
        try:
            barrier.wait(timeout=30)
            return work(index)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))

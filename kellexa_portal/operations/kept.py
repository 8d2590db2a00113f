"""An answer that is worth asking for once a moment, however many want it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """What ``ask`` answered, kept for ``seconds``; whoever comes while one thread asks waits for its answer.

    The time runs from the answer, not from the question: else those who waited for a slow one would each
    ask again, one after the other.
    """

    def __init__(self, ask: Callable[[], T], *, seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._lock = threading.Lock()
        self._answers: list[T] = []
        self._answered_at = 0.0

    def get(self) -> T:
        """The answer, at most ``seconds`` old. An error of ``ask`` is raised and not kept."""
        with self._lock:
            if not self._answers or time.monotonic() - self._answered_at >= self._seconds:
                self._answers = [self._ask()]
                self._answered_at = time.monotonic()
            return self._answers[0]

"""Stops asking a server that does not answer, so that it costs one time-out and not one a request."""

from __future__ import annotations

import threading
import time

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 8.0


class Breaker:
    """Closed while calls succeed; after a failure it admits one trial at the end of each, growing, pause."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pause = 0.0
        self._next_trial = 0.0

    def admits(self) -> bool:
        """Whether to ask now. While open, the one caller that gets ``True`` makes the trial for all."""
        if not self._pause:
            return True
        with self._lock:
            now = time.monotonic()
            if now < self._next_trial:
                return False
            self._next_trial = now + self._pause
            return True

    def succeeded(self) -> None:
        """Closes it again."""
        self._pause = 0.0

    def failed(self) -> bool:
        """Opens it, or keeps it open for longer; whether this was the failure that opened it."""
        with self._lock:
            opened = not self._pause
            self._pause = min(self._pause * 2 or FIRST_PAUSE, LONGEST_PAUSE)
            self._next_trial = time.monotonic() + self._pause
            return opened

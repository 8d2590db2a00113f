"""An authenticator app written by others: ``oathtool`` (OATH Toolkit)."""

from __future__ import annotations

import subprocess
import time

STEP_SECONDS = 30


class Authenticator:
    """Types codes as a person with a phone does: a code once shown is not typed twice."""

    def __init__(self, key: str) -> None:
        self._key = "".join(key.split())
        self._last_step = 0

    def code(self) -> str:
        """The next code that was not shown before; waits for the next step where it must."""
        while int(time.time()) // STEP_SECONDS <= self._last_step:
            time.sleep(0.2)
        if time.time() % STEP_SECONDS > STEP_SECONDS - 3:
            time.sleep(4)
        self._last_step = int(time.time()) // STEP_SECONDS
        done = subprocess.run(
            ["oathtool", "--totp", "-b", self._key], capture_output=True, check=True, text=True
        )
        return done.stdout.strip()

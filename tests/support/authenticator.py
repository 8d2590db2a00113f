"""An authenticator app written by others: ``oathtool`` (OATH Toolkit)."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Page

STEP_SECONDS = 30
STEP_UP = "/accounts/verify/"


def oathtool(key: str) -> str:
    """The code of this moment, for a key in base 32."""
    command = ["oathtool", "--totp", "-b", "".join(key.split())]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


class Authenticator:
    """Types codes as a person with a phone does: a code once shown is not typed twice."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._last_step = 0

    def code(self) -> str:
        """The next code that was not shown before; waits for the next step where it must."""
        while int(time.time()) // STEP_SECONDS <= self._last_step:
            time.sleep(0.2)
        if time.time() % STEP_SECONDS > STEP_SECONDS - 3:
            time.sleep(4)
        self._last_step = int(time.time()) // STEP_SECONDS
        return oathtool(self._key)

    def answers(self, page: Page) -> bool:
        """Shows the factor where ``page`` asks for it (step-up); answers whether it did."""
        if urlsplit(page.url).path != STEP_UP:
            return False
        page.get_by_label("Authentication code", exact=True).fill(self.code())
        page.get_by_role("button", name="Verify", exact=True).click()
        page.wait_for_url(lambda url: urlsplit(url).path != STEP_UP)
        return True

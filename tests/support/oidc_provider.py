"""npm's ``oidc-provider``, started for a journey: an OpenID provider that others wrote."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest

HERE = Path(__file__).parent.parent / "journeys" / "provider"
CLIENT_ID, CLIENT_SECRET = "kellexa-portal", "a-secret-of-this-journey"
START_SECONDS = 20.0


def installed(folder: Path) -> Path:
    """The provider with its locked packages in ``folder``; where npm can't fetch them the journey is skipped.

    In CI a machine without npm is a failure: the journey would be shown to nobody.
    """
    npm = shutil.which("npm")
    if npm is None:
        if os.environ.get("CI") == "true":
            pytest.fail("npm is missing; single sign-on can't be shown.")
        pytest.skip("npm is missing")
    for name in ("package.json", "package-lock.json", "provider.mjs"):
        shutil.copy(HERE / name, folder / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        pytest.skip(f"npm could not install the provider: {done.stderr[-400:]}")
    return folder


class OidcProvider:
    """One provider on a port of its own, which stays the same when it is started anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])

    @property
    def issuer(self) -> str:
        """Its own name."""
        return f"http://127.0.0.1:{self._port}"

    def serve(self, redirect_uri: str) -> None:
        """Starts it, or starts it anew, for the one client that comes back at ``redirect_uri``."""
        self.stop()
        command = ["node", "provider.mjs", str(self._port), CLIENT_ID, CLIENT_SECRET, redirect_uri]
        with (self._folder / "provider.log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)
        ends_at = time.monotonic() + START_SECONDS
        while time.monotonic() < ends_at:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        pytest.fail((self._folder / "provider.log").read_text(encoding="utf-8"))

    def stop(self) -> None:
        """Ends it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=10)
            self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

"""Environments to start with: one that production accepts, to be spoilt by a test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from kellexa_portal import env


def good_production(state: Path) -> dict[str, str]:
    """Variables that production starts with; the servers they name need not exist."""
    return {
        "KELLEXA_MODE": "production",
        "KELLEXA_STATE_DIR": str(state),
        "PUBLIC_URL": "https://portal.kellexa.example",
        "DATABASE_URL": "postgres://portal:Xk4tTq8vLm2wRz6p@db.internal/portal?sslmode=verify-full",
        "REDIS_URL": "rediss://:Yd7sNc3bHf9jWu5g@redis.internal/0",
        "EMAIL_URL": "smtp+tls://mailer:Ze1aGp6kVr8xQt4n@mail.internal:587",
        **env.generate_secrets(),
    }


def manage(*arguments: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """``manage.py`` in a process of its own that knows ``variables`` and nothing of this run's."""
    return subprocess.run(
        [sys.executable, str(env.BASE_DIR / "manage.py"), *arguments],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **variables},
        cwd=env.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

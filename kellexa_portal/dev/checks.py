"""``make check``: what is proved without running the portal, all failures in one answer."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from kellexa_portal import env

PACKAGES = ("kellexa_portal", "accounts", "subprocessors", "disclosures")
AT_ONCE = 2


@dataclass(frozen=True)
class Check:
    """One command that has to succeed."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How it went."""

    check: Check
    status: int
    output: str
    seconds: float


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _django(*words: str) -> list[str]:
    """Django's commands without manage.py, which would start the checkout's servers."""
    return [sys.executable, "-W", "ignore::RuntimeWarning", "-m", "django", *words]


def templates() -> list[str]:
    """Every template of the portal."""
    found = (path for package in PACKAGES for path in (env.BASE_DIR / package).rglob("templates/**/*.html"))
    return sorted(str(path.relative_to(env.BASE_DIR)) for path in found)


def development(state: str) -> dict[str, str]:
    """A development start's environment; its servers are named and never reached."""
    return {
        "DJANGO_SETTINGS_MODULE": "kellexa_portal.settings",
        "KELLEXA_MODE": "development",
        "KELLEXA_STATE_DIR": state,
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }


def production(state: str) -> dict[str, str]:
    """Production's environment with fresh secrets, as an operator would write it."""

    def password() -> str:
        return secrets.token_hex(24)

    return {
        "DJANGO_SETTINGS_MODULE": "kellexa_portal.settings",
        "KELLEXA_MODE": "production",
        "KELLEXA_STATE_DIR": state,
        "PUBLIC_URL": "https://portal.kellexa.example",
        "DATABASE_URL": f"postgres://kellexa_app:{password()}@db.kellexa.example/kellexa",
        "MIGRATION_DATABASE_URL": f"postgres://kellexa_owner:{password()}@db.kellexa.example/kellexa",
        "REDIS_URL": f"rediss://:{password()}@redis.kellexa.example/0",
        "EMAIL_URL": f"smtp+tls://portal:{password()}@mail.kellexa.example:587",
        **env.generate_secrets(),
    }


def all_checks(state: str) -> list[Check]:
    """The checks; the slowest first, so that both cores stay busy."""
    here, there = development(state), production(state)
    return [
        Check("types", [_tool("mypy")]),
        Check("architecture", [sys.executable, "-m", "pytest", "-q", "tests/architecture"]),
        Check("lint", [_tool("ruff"), "check", "."]),
        Check("format", [_tool("ruff"), "format", "--check", "."]),
        Check("import contracts", [_tool("lint-imports")]),
        Check("templates", [_tool("djade"), "--check", "--target-version", "5.2", *templates()]),
        Check("missing migrations", _django("makemigrations", "--check", "--dry-run"), here),
        Check("system checks", _django("check", "--fail-level", "WARNING"), here),
        Check("deployment checks", _django("check", "--deploy", "--fail-level", "WARNING"), there),
    ]


def run(check: Check) -> Result:
    """Runs one check to its end; one with an environment of its own sees nothing of this terminal's."""
    inherited = dict(os.environ)
    if check.environment:
        inherited = {
            name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ
        }
    started = time.monotonic()
    done = subprocess.run(
        check.command,
        cwd=env.BASE_DIR,
        env={**inherited, **check.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
    )
    return Result(check=check, status=done.returncode, output=done.stdout, seconds=time.monotonic() - started)


def run_all() -> list[Result]:
    """Runs every check, whatever the others say."""
    with (
        tempfile.TemporaryDirectory(prefix="kellexa-check-") as state,
        ThreadPoolExecutor(max_workers=AT_ONCE) as pool,
    ):
        return list(pool.map(run, all_checks(state)))


def report(results: Iterable[Result]) -> int:
    """Prints what failed, then one line for each check; the status is 1 if any failed."""
    results = list(results)
    failed = [result for result in results if result.status != 0]
    for result in failed:
        print(f"\n--- {result.check.name} ---\n{result.output.rstrip()}")
    print()
    for result in results:
        print(f"{'ok    ' if result.status == 0 else 'FAILED'} {result.check.name} ({result.seconds:.1f} s)")
    return 1 if failed else 0

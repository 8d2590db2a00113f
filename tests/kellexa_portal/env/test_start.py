"""Starting ``manage.py`` under planted environments, as an operator does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.kellexa_portal.env.surroundings import manage

pytestmark = pytest.mark.slow


def test_good_production_passes_the_deployment_check(variables: dict[str, str]) -> None:
    outcome = manage("check", "--deploy", "--fail-level", "INFO", variables=variables)

    assert outcome.returncode == 0, outcome.stderr
    assert "no issues" in outcome.stdout


def test_faulty_production_does_not_start_and_tells_all_that_is_wrong(variables: dict[str, str]) -> None:
    password = "Xk4tTq8vLm2wRz6p"
    variables["SECRET_KEY"] = "weak-but-secret"
    variables["PUBLIC_URL"] = "http://portal.kellexa.example"
    variables["MIGRATION_DATABASE_URL"] = variables["DATABASE_URL"]
    del variables["TOKEN_PEPPERS"]

    outcome = manage("check", variables=variables)

    assert outcome.returncode != 0
    for name in ("SECRET_KEY", "PUBLIC_URL", "MIGRATION_DATABASE_URL", "TOKEN_PEPPERS"):
        assert re.search(rf"^  - .*{name}.*: ", outcome.stderr, re.MULTILINE), outcome.stderr
    assert password not in outcome.stdout + outcome.stderr
    assert "weak-but-secret" not in outcome.stdout + outcome.stderr


def test_migrate_without_the_owner_is_refused_in_production(variables: dict[str, str]) -> None:
    outcome = manage("migrate", "--plan", variables=variables)

    assert outcome.returncode != 0
    assert "MIGRATION_DATABASE_URL: is missing" in outcome.stderr


@pytest.mark.parametrize(
    ("command", "user"), [("migrate", "owner"), ("makemigrations", "owner"), ("shell", "portal")]
)
def test_only_migrations_connect_as_the_owner(variables: dict[str, str], command: str, user: str) -> None:
    variables["MIGRATION_DATABASE_URL"] = "postgres://owner:Kq3zVb7yTn1cLs9d@db.internal/portal"
    probe = (
        "import sys; from kellexa_portal import env; env.choose_database_role(sys.argv);"
        "print({alias: entry['USER'] for alias, entry in env.load().databases().items()})"
    )

    outcome = _python(probe, command, variables=variables)

    assert outcome == f"{{'default': '{user}', 'independent': '{user}'}}\n"


def test_environment_module_prints_a_set_that_production_accepts(
    variables: dict[str, str], tmp_path: Path
) -> None:
    printed = _python(
        "import runpy; runpy.run_module('kellexa_portal.env', run_name='__main__')", variables={}
    )
    variables |= dict(line.split("=", 1) for line in printed.splitlines())

    outcome = manage("check", variables=variables)

    assert outcome.returncode == 0, outcome.stderr


def _python(code: str, *arguments: str, variables: dict[str, str]) -> str:
    import os
    import subprocess
    import sys

    from kellexa_portal import env

    outcome = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={"PATH": os.environ["PATH"], **variables},
        cwd=env.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return outcome.stdout

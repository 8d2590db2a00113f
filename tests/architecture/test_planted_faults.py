"""The house's rules are tried: each planted fault makes the check that `make check` runs fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kellexa_portal.dev import checks

ROOT = Path(__file__).resolve().parents[2]
TREE = ("kellexa_portal", "accounts", "subprocessors", "disclosures", "tests", "pyproject.toml", "manage.py")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The tree, to be spoiled."""
    ignored = shutil.ignore_patterns("__pycache__", "vendor")
    for name in TREE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=ignored)
        else:
            shutil.copy(source, tmp_path / name)
    return tmp_path


def _run(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of this environment, in ``tree``, which stands first on the path."""
    variables = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "kellexa_portal.settings",
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [sys.executable, *words], cwd=tree, env=variables, capture_output=True, text=True, check=False
    )


def _append(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


def _lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    return _run(tree, "-c", "from importlinter.cli import lint_imports_command as main; main()", "--no-cache")


def test_an_import_that_points_up_fails(copy: Path) -> None:
    assert _lint_imports(copy).returncode == 0
    _append(copy / "kellexa_portal/mail/models.py", "\nfrom accounts.identity.models import User\n")

    done = _lint_imports(copy)

    assert done.returncode != 0
    assert "kellexa_portal.mail.models -> accounts.identity.models" in done.stdout


def test_a_module_that_nobody_placed_fails(copy: Path) -> None:
    (copy / "kellexa_portal/attic.py").write_text('"""Nobody placed it."""\n')

    assert _lint_imports(copy).returncode != 0


def test_a_view_without_a_gate_fails(copy: Path) -> None:
    _append(
        copy / "kellexa_portal/operations/urls.py",
        "\nfrom django.http import HttpResponse\n\n"
        "urlpatterns.append(path('planted/', lambda request: HttpResponse('open')))\n",
    )

    done = _run(copy, "manage.py", "check")

    assert done.returncode != 0
    assert "kellexa.E001" in done.stderr
    assert "planted/" in done.stderr


def test_a_foreign_key_that_points_up_fails(copy: Path) -> None:
    _append(
        copy / "accounts/organizations/models.py",
        "\n\nclass Planted(models.Model):\n"
        "    key = models.ForeignKey('credentials.ApiKey', on_delete=models.PROTECT, related_name='+')\n",
    )

    done = _run(copy, "-m", "tests.architecture.foreign_keys")

    assert done.returncode == 1
    assert "points up: organizations.Planted.key -> credentials.ApiKey" in done.stdout


def test_make_check_runs_what_the_faults_were_planted_for() -> None:
    commands = [" ".join(check.command) for check in checks.all_checks("unused")]

    for wanted in ("lint-imports", "django check --fail-level WARNING", "pytest -q tests/architecture"):
        assert any(command.endswith(wanted) for command in commands), wanted

"""How the virtual environment is built, with a lock that asks for nothing."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from kellexa_portal import env

BOOTSTRAP = env.BASE_DIR / "kellexa_portal" / "dev" / "bootstrap.py"

pytestmark = pytest.mark.slow


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, aimed at an empty folder, with uv on the PATH for speed."""
    spec = importlib.util.spec_from_file_location("bootstrap_under_test", BOOTSTRAP)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    lock = tmp_path / "dev.txt"
    lock.write_text("")
    venv = tmp_path / ".venv"
    for name, value in {
        "LOCK": lock,
        "VENV": venv,
        "PYTHON": venv / "bin" / "python",
        "STAMP": venv / ".kellexa-lock",
    }.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    return module


def test_it_builds_once_and_then_leaves_the_environment_alone(bootstrap: ModuleType) -> None:
    bootstrap.main()
    mine = bootstrap.VENV / "kept"
    mine.touch()

    bootstrap.main()

    assert bootstrap.PYTHON.exists()
    assert mine.exists()


def test_another_lock_leads_to_a_fresh_environment(bootstrap: ModuleType) -> None:
    bootstrap.main()
    (bootstrap.VENV / "stale").touch()
    bootstrap.LOCK.write_text("# changed\n")

    bootstrap.main()

    assert not (bootstrap.VENV / "stale").exists()


def test_an_interrupted_build_is_done_anew(bootstrap: ModuleType) -> None:
    bootstrap.VENV.mkdir()
    (bootstrap.VENV / "half").touch()

    bootstrap.main()

    assert not (bootstrap.VENV / "half").exists()
    assert bootstrap.stamp() == bootstrap.fingerprint()


def test_a_failed_installation_shows_why_and_counts_as_none(bootstrap: ModuleType) -> None:
    bootstrap.LOCK.write_text("nothing-like-it @ file:///nowhere\n")

    with pytest.raises(SystemExit, match=r"(?s)installing the requirements failed:\n.+"):
        bootstrap.main()

    assert bootstrap.stamp() == ""


def test_a_python_without_venv_gets_one_clear_line(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setitem(sys.modules, "ensurepip", None)

    with pytest.raises(SystemExit, match="apt install python3-venv"):
        bootstrap.main()

    assert not bootstrap.VENV.exists()


def test_a_python_that_is_too_old_gets_one_clear_line(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "OLDEST", (99, 0))

    with pytest.raises(SystemExit, match=r"Python 99\.0 or newer is needed"):
        bootstrap.main()


def test_it_needs_nothing_but_the_standard_library() -> None:
    checked = subprocess.run(
        [sys.executable, "-I", "-S", "-c", "import runpy, sys; runpy.run_path(sys.argv[1])", str(BOOTSTRAP)],
        capture_output=True,
        check=False,
        text=True,
    )

    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_lock_pins_uv_with_its_hashes() -> None:
    spec = importlib.util.spec_from_file_location("bootstrap_of_the_checkout", BOOTSTRAP)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    requirement = module.requirement_of_uv()

    assert requirement.startswith("uv==")
    assert "--hash=sha256:" in requirement
    assert requirement.count("==") == 1


def test_the_environments_own_uv_is_not_used_to_replace_it(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = bootstrap.VENV / "bin" / "uv"
    inside.parent.mkdir(parents=True)
    source = shutil.which("true")
    assert source is not None
    shutil.copy(source, inside)
    monkeypatch.setenv("PATH", str(inside.parent))

    assert bootstrap.uv() == ""

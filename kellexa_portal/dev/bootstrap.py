"""Builds ``.venv`` from the hash-pinned lock. Standard library only, run by path with any Python.

It must not import the project (nothing is installed yet), and its syntax stays readable to old
Pythons so that they can be told what is wrong. A build that was interrupted, another lock or another
Python leads to a fresh one; an up-to-date environment costs a few milliseconds.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

OLDEST = (3, 11)
BASE = Path(__file__).resolve().parent.parent.parent
LOCK = BASE / "requirements" / "dev.txt"
VENV = BASE / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".kellexa-lock"
# They would point the installer at another environment.
FOREIGN = {"VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH"}
PINNED = ["--require-hashes", "--only-binary", ":all:", "--requirement"]


def fingerprint() -> str:
    """Changes when the environment has to."""
    version = "{}.{}.{} {}".format(*sys.version_info[:3], sys.prefix)
    return hashlib.sha256(LOCK.read_bytes() + version.encode()).hexdigest()


def stamp() -> str:
    """What the finished environment was built from; empty while there is none."""
    return STAMP.read_text(encoding="ascii") if STAMP.is_file() and PYTHON.exists() else ""


def attempt(command: list[str]) -> str:
    """Runs it quietly; returns the last lines it printed if it failed, else nothing."""
    variables = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    done = subprocess.run(
        command,
        env={**variables, "UV_PYTHON_DOWNLOADS": "never", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode == 0:
        return ""
    last = done.stdout.decode("utf-8", "replace").strip().splitlines()[-15:]
    return "\n".join(last) or f"status {done.returncode}"


def require(purpose: str, command: list[str]) -> None:
    """Runs it quietly and ends with its last lines if it fails."""
    output = attempt(command)
    if output:
        sys.exit(f"kellexa: {purpose} failed:\n{output}")


def uv() -> str:
    """uv, when it is on the PATH and not in the environment that is about to be replaced."""
    found = shutil.which("uv")
    return "" if found is None or VENV in Path(found).resolve().parents else found


def require_venv() -> None:
    """Debian packs Python without it; one line instead of a traceback."""
    try:
        import ensurepip  # noqa: F401  # only whether it is there
        import venv  # noqa: F401  # the same
    except ImportError:
        sys.exit(
            "kellexa: this Python cannot make virtual environments; on Debian or Ubuntu run "
            "`apt install python3-venv`, or install uv, and start again."
        )


def requirement_of_uv() -> str:
    """The lock's own lines for uv: its version and its hashes."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith("uv==")), None)
    if start is None:
        return ""
    end = next(number for number in range(start, len(lines)) if not lines[number].endswith("\\"))
    return "\n".join(lines[start : end + 1]) + "\n"


def install_with_pip() -> None:
    """Lets pip bring uv from the lock and uv the rest, which takes a fifth of the time.

    Where uv does not get through (an index that only pip's own configuration names), pip does it all;
    the hashes are the same either way.
    """
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--no-input"]
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(requirement_of_uv())
        file.flush()
        has_uv = file.tell() > 0 and not attempt([*pip, *PINNED, file.name])
    own_uv = [str(PYTHON.with_name("uv")), "pip", "install", "--quiet", "--python", str(PYTHON)]
    if not has_uv or attempt([*own_uv, *PINNED, str(LOCK)]):
        require("installing the requirements", [*pip, *PINNED, str(LOCK)])


def build() -> None:
    """From nothing; the stamp is written last, so that an interrupted build is never taken for whole."""
    tool = uv()
    name = "uv" if tool else "pip"
    if not tool:
        require_venv()
    print(f"kellexa: building .venv from requirements/dev.txt with {name} …", flush=True)
    if VENV.exists():
        shutil.rmtree(VENV)
    if tool:
        require("making .venv", [tool, "venv", "--quiet", "--python", sys.executable, str(VENV)])
        install = [tool, "pip", "install", "--quiet", "--python", str(PYTHON), *PINNED, str(LOCK)]
        require("installing the requirements", install)
    else:
        require("making .venv", [sys.executable, "-m", "venv", str(VENV)])
        install_with_pip()
    STAMP.write_text(fingerprint(), encoding="ascii")


def main() -> None:
    if sys.version_info < OLDEST:
        found = "{} is {}.{}".format(sys.executable, *sys.version_info[:2])
        wanted = "{}.{}".format(*OLDEST)
        sys.exit(
            f"kellexa: Python {wanted} or newer is needed and {found}; name another: make PYTHON=python3.13 …"
        )
    with LOCK.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two targets at once build once
        if stamp() != fingerprint():
            build()


if __name__ == "__main__":
    main()

"""What the supervisor does when its processes die, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kellexa_portal.dev import processes, supervisor
from kellexa_portal.dev.state import StartError
from kellexa_portal.dev.supervisor import Program, Pulse, Supervisor

pytestmark = pytest.mark.slow

SLEEPS = (sys.executable, "-c", "import time; time.sleep(60)")
DIES = (sys.executable, "-S", "-c", "import sys; sys.exit('no room for me')")
STUBBORN = (
    sys.executable,
    "-c",
    (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('up', flush=True); time.sleep(60)"
    ),
)


def program(tmp_path: Path, command: tuple[str, ...]) -> Program:
    return Program(name="web", command=command, environment=dict(os.environ), log=tmp_path / "web.log")


def watching(*programs: Program) -> Supervisor:
    return Supervisor(servers=[], restart_server=lambda _: None, programs=programs, on_change=lambda: None)


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Program]:
    sleeper = program(tmp_path, SLEEPS)
    yield sleeper
    sleeper.make_stop(deadline=time.monotonic())


def test_a_process_that_dies_is_started_again(sleeper: Program) -> None:
    watcher = watching(sleeper)
    watcher.start_programs()
    first = sleeper.pid
    assert first is not None

    processes.send(first, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while sleeper.pid in {None, first} and time.monotonic() < deadline:
        watcher.check()
        time.sleep(0.01)

    assert sleeper.pid not in {None, first}


def test_a_process_that_dies_again_and_again_ends_the_stack_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE", 0.05)
    watcher = watching(program(tmp_path, DIES))
    watcher.start_programs()

    with pytest.raises(StartError, match=r"(?s)web ended 5 times soon after its start.*no room for me"):
        watcher.watch()


def test_each_quick_death_doubles_the_pause_and_a_long_life_forgets_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [100.0]
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: clock[0])
    pulse = Pulse()
    pauses = []
    for _ in range(3):
        pulse.started()
        pulse.died()
        pauses.append(pulse.resume_at - clock[0])

    pulse.started()
    clock[0] += 3600
    pulse.died()

    assert pauses == [0.25, 0.5, 1.0]
    assert pulse.deaths == 1


def test_a_process_that_ignores_the_request_to_stop_is_killed_within_the_patience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "PATIENCE_SECONDS", 0.3)
    stubborn = program(tmp_path, STUBBORN)
    watcher = watching(stubborn)
    watcher.start_programs()
    pid = stubborn.pid
    assert pid is not None
    while "up" not in stubborn.log.read_text():
        time.sleep(0.01)

    began = time.monotonic()
    watcher.stop_programs()

    assert time.monotonic() - began < 2
    assert not processes.is_running(pid)


def test_children_end_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, signal, sys, time\n"
        "from kellexa_portal.dev import processes\n"
        "child = processes.spawn([sys.executable, '-c', 'import time; time.sleep(60)'],\n"
        "    log=pathlib.Path(sys.argv[1]), environment=os.environ, ends_with_us=signal.SIGTERM)\n"
        "print(child.pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, tmp_path / "log"], stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())

        parent.kill()

    assert processes.wait_until_gone([child], seconds=5) == []


def test_what_an_earlier_stack_left_behind_is_found_by_its_mark_and_ended(tmp_path: Path) -> None:
    mark = str(tmp_path)
    left = subprocess.Popen(SLEEPS, env={**os.environ, processes.MARK: mark}, start_new_session=True)
    other = subprocess.Popen(
        SLEEPS, env={**os.environ, processes.MARK: f"{mark}-other"}, start_new_session=True
    )
    try:
        ended = processes.sweep(mark)

        assert ended == 1
        assert not processes.is_running(left.pid)
        assert processes.is_running(other.pid)
    finally:
        for process in (left, other):
            process.kill()
            process.wait()

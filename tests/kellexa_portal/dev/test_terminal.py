"""What a person at the terminal sees of the stack, and what a failed check says."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from kellexa_portal.dev import checks, logs
from kellexa_portal.dev.checks import Check
from kellexa_portal.dev.run import sign_in_lines
from kellexa_portal.dev.state import DiskFullError

ROUTINE = "2026-11-23T17:24:00.699051Z [info     ] Task audit.seal[c0223e2c] received"
TRACEBACK = [
    "2026-11-23T17:24:01.000000Z [error    ] Task audit.seal[c0223e2c] raised unexpected",
    "Traceback (most recent call last):",
    '  File "seal.py", line 1, in seal',
    "ValueError: no leaf",
]


def shown(lines: list[str], shows: logs.Alarms) -> list[str]:
    return [line for line in lines if shows(line)]


def test_routine_stays_in_the_log_and_an_alarm_is_shown_with_its_traceback() -> None:
    assert shown([ROUTINE, *TRACEBACK, ROUTINE], logs.Alarms()) == TRACEBACK


def test_requests_of_a_person_are_shown_and_those_of_probes_and_pages_parts_are_not() -> None:
    head = "2026-11-23T18:00:00Z [info     ] "
    login = f"{head}GET /accounts/login/ 200 12 ms  [kellexa.requests]"
    quiet = [f"{head}GET {path} 200 3 ms" for path in ("/readyz", "/static/ui/base.css")]
    lines = [login, *quiet, "[INFO] Started worker-1"]

    assert shown(lines, logs.Requests()) == [login]


def test_new_lines_of_a_log_appear_with_the_name_of_their_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "web.log"
    log.write_text("[info] GET /old/ 200 1 ms\n")
    terminal = logs.Terminal({"web": (log, logs.Requests())})
    terminal.start()

    with log.open("a") as file:
        file.write("[info] GET /new/ 200 1 ms\n[info] GET /half")
        file.flush()
        time.sleep(0.3)
        file.write("-written/ 200 1 ms\n")
    terminal.stop()

    assert (
        capsys.readouterr().out
        == "     web | [info] GET /new/ 200 1 ms\n     web | [info] GET /half-written/ 200 1 ms\n"
    )


def test_a_full_disk_is_named_whatever_else_the_server_wrote() -> None:
    error = logs.failure("PostgreSQL", 'FATAL: could not write to file "x": No space left on device')

    assert isinstance(error, DiskFullError)
    assert str(error) == "The disk is full: PostgreSQL could not write. Make room and start again."


def test_the_demo_sign_ins_are_printed_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "sign-ins.json"
    account = {
        "email": "owner@acme.example",
        "password": "demo-1",
        "totp_secret": "JBSWY3DP",
        "role": "owner",
        "organization": "Acme",
    }
    staff = account | {"email": "dpo@staff.example", "role": "dpo", "organization": ""}
    path.write_text(json.dumps({"accounts": [account, staff]}))

    lines = [" ".join(line.split()) for line in sign_in_lines(path)]

    assert lines[1:] == [
        "owner@acme.example demo-1 JBSWY3DP owner, Acme",
        "dpo@staff.example demo-1 JBSWY3DP dpo",
    ]


@pytest.mark.parametrize("text", [None, "", "not json", "[]", '{"accounts": null}'])
def test_without_demo_data_no_sign_in_is_printed(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "sign-ins.json"
    if text is not None:
        path.write_text(text)

    assert sign_in_lines(path) == []


def test_every_failed_check_is_reported_in_one_answer(capsys: pytest.CaptureFixture[str]) -> None:
    def saying(text: str, status: int) -> Check:
        script = f"import sys; print({text!r}); sys.exit({status})"
        return Check(text, [sys.executable, "-S", "-c", script])

    results = [checks.run(saying(text, status)) for text, status in (("one", 1), ("two", 0), ("three", 2))]
    status = checks.report(results)

    output = capsys.readouterr().out
    assert status == 1
    assert "--- one ---\none" in output
    assert "--- three ---\nthree" in output
    assert "--- two ---" not in output
    assert "ok     two" in output


def test_a_proof_about_settings_is_not_touched_by_this_terminals_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_KEY", "of the terminal")
    script = "import os; print(sorted(name for name in os.environ if name in {'SECRET_KEY', 'KELLEXA_MODE'}))"

    result = checks.run(
        Check("settings", [sys.executable, "-S", "-c", script], {"KELLEXA_MODE": "production"})
    )

    assert result.output == "['KELLEXA_MODE']\n"

"""Log output with planted secrets: standard loggers, structlog, Celery, a dying process."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.conf import settings

from kellexa_portal.core import context
from kellexa_portal.redaction import RedactionFilter, logs
from tests.kellexa_portal.redaction.planted import COOKIE, OTPAUTH, PASSWORD, PEM, TOKEN, WEBHOOK, leaks


class _Shown:
    """An object that gives itself away."""

    def __repr__(self) -> str:
        return f"<Shown token={TOKEN} password={PASSWORD}>"


class _Broken:
    def __str__(self) -> str:
        raise RuntimeError(PASSWORD)


@pytest.fixture(params=["json", "readable"])
def output(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What the one handler of settings.LOGGING writes, in each style."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactionFilter())
    handler.setFormatter(logs.formatter(request.param))
    root = logging.getLogger()
    before = root.handlers[:], root.level
    root.handlers, root.level = [handler], logging.INFO
    yield stream
    root.handlers, root.level = before


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("token %s", (TOKEN,)),
        ("body %s", ({"password": PASSWORD, "nested": [{"token": TOKEN}]},)),
        ("%(password)s", ({"password": PASSWORD},)),
        ("bytes %r", (f"password={PASSWORD}".encode(),)),
        ("object %s %r", (_Shown(), [_Shown()])),
        (f"plain password={PASSWORD}", ()),
        ("headers %s", ([("Authorization", f"Bearer {TOKEN}"), ("Cookie", f"session={COOKIE}")],)),
        ("too few %s %s", (f"password={PASSWORD}",)),
        ("too many", (f"password={PASSWORD}", TOKEN)),
        ("wrong kind %d", (TOKEN,)),
        ("uri %s key %s hook %s", (OTPAUTH, PEM, WEBHOOK)),
        (_Shown(), ()),
    ],
)
def test_message_and_arguments_are_clean(
    output: io.StringIO, message: Any, arguments: tuple[Any, ...]
) -> None:
    logging.getLogger("planted").warning(message, *arguments)

    assert output.getvalue()
    assert not leaks(output.getvalue()), output.getvalue()


def test_extra_values_are_clean_and_requests_left_out(output: io.StringIO) -> None:
    extra = {
        "token": TOKEN,
        "data": {"kwargs": f"{{'password': '{PASSWORD}'}}", "deep": {"deeper": (WEBHOOK, {"seed": OTPAUTH})}},
        "request": _Shown(),
        "raw": f"password={PASSWORD}".encode(),
        "key_id": "4fQ8aZ0mN2cR7x",
    }

    logging.getLogger("planted").warning("event", extra=extra)

    assert "4fQ8aZ0mN2cR7x" in output.getvalue()
    assert "Shown" not in output.getvalue()
    assert not leaks(output.getvalue()), output.getvalue()


def test_traceback_and_its_causes_are_clean(output: io.StringIO) -> None:
    try:
        try:
            raise ValueError({"password": PASSWORD})  # noqa: TRY301  # the cause is the point
        except ValueError as error:
            error.add_note(f"token={TOKEN}")
            raise RuntimeError(f"postgres://portal:{PASSWORD}@db/portal refused {_Shown()!r}") from error
    except RuntimeError:
        logging.getLogger("planted").exception("it failed", stack_info=True)
        structlog.get_logger("planted").exception("it_failed", stack_info=True)

    assert output.getvalue().count("RuntimeError: postgres://") == 2
    assert not leaks(output.getvalue()), output.getvalue()


def test_structlog_events_are_clean(output: io.StringIO) -> None:
    logger = structlog.get_logger("planted").bind(authorization=f"Bearer {TOKEN}")

    logger.warning(
        f"said password={PASSWORD}",  # noqa: G004  # what careless code does
        form={"new_password": PASSWORD, "tries": 3},
        thing=_Shown(),
        raw=b"\xff token=" + TOKEN.encode(),
    )
    logger.warning("positional %s", TOKEN)

    assert "said password=" in output.getvalue()
    assert "tries" in output.getvalue()
    assert not leaks(output.getvalue()), output.getvalue()


def test_object_that_cannot_be_shown_costs_the_detail_not_the_line(output: io.StringIO) -> None:
    logging.getLogger("planted").warning("before %s", _Broken())
    logging.getLogger("planted").warning("after", extra={"thing": [_Broken()]})

    assert "after" in output.getvalue()
    assert len(output.getvalue().strip().splitlines()) == 2
    assert not leaks(output.getvalue()), output.getvalue()


def test_structure_that_holds_itself_is_cut_off(output: io.StringIO) -> None:
    loop: dict[str, Any] = {"password": PASSWORD}
    loop["loop"] = loop

    logging.getLogger("planted").warning("event", extra={"data": loop})

    assert not leaks(output.getvalue()), output.getvalue()


@pytest.mark.parametrize("output", ["json"], indirect=True)
def test_production_lines_are_json_with_the_request_they_belong_to(output: io.StringIO) -> None:
    with context.bound(context.RequestContext(request_id="req-1")):
        logging.getLogger("planted").warning("one %s", "two", extra={"n": 3})
        structlog.get_logger("planted").warning("three", n=4)

    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    assert [list(line)[:5] for line in lines] == [["timestamp", "level", "event", "logger", "request_id"]] * 2
    assert [(line["event"], line["n"], line["request_id"]) for line in lines] == [
        ("one two", 3, "req-1"),
        ("three", 4, "req-1"),
    ]


def test_no_logger_has_a_way_around_the_filter() -> None:
    code = (
        "import django, logging; django.setup();"
        "root = logging.getLogger();"
        "assert [type(f).__name__ for h in root.handlers for f in h.filters] == ['RedactionFilter'];"
        "loggers = [l for l in root.manager.loggerDict.values() if isinstance(l, logging.Logger)];"
        "own = lambda l: [h for h in l.handlers if not isinstance(h, logging.NullHandler)];"
        "loose = [l.name for l in loggers if own(l) or not l.propagate];"
        "assert not loose, loose"
    )

    outcome = _run(code)

    assert outcome.returncode == 0, outcome.stderr


def test_celery_sets_no_handler_of_its_own() -> None:
    code = (
        "from kellexa_portal.celery import app; import django, logging; django.setup();"
        "app.log.setup(loglevel='INFO', colorize=False);"
        f"logging.getLogger('celery.app.trace').error('Task %s', {f'x(password={PASSWORD!r})'!r},"
        f" extra={{'data': {{'kwargs': {{'token': '{TOKEN}'}}}}}});"
        f"from celery.utils.log import get_task_logger; get_task_logger('t').warning('token={TOKEN}')"
    )

    outcome = _run(code)

    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stderr.count("[redacted]") >= 3
    assert not leaks(outcome.stdout + outcome.stderr), outcome.stderr


def test_uncaught_exception_of_a_process_is_clean() -> None:
    outcome = _run(f"import django; django.setup(); raise SystemError('password={PASSWORD} {TOKEN}')")

    assert outcome.returncode == 1
    assert "SystemError: password=[redacted]" in outcome.stderr
    assert not leaks(outcome.stderr), outcome.stderr


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            f"import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'kellexa_portal.settings'\n{code}",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=settings.BASE_DIR,
    )

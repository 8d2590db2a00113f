"""Workers killed between any two lines, and at any instant: no mail is lost, none is doubled.

The workers are real processes that end by SIGKILL; the rows, the files and the SMTP server are real too.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from kellexa_portal.mail.actions.delivery import deliver_due
from kellexa_portal.mail.backends import file_name
from kellexa_portal.mail.models import OutboxMail
from tests.kellexa_portal.mail.conftest import MAIL, Write
from tests.kellexa_portal.mail.smtp_server import SmtpServer

State = OutboxMail.State
RUNNER = Path(__file__).with_name("killable.py")
RANDOM_KILLS = 60
FEWEST_LINES = 50
SECOND_KILL_EVERY = 4

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


class Worker:
    """One run of ``killable.py`` on the test's own database."""

    def __init__(self, *, state: Path, email_url: str = "") -> None:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "kellexa_portal.settings",
            "KELLEXA_MODE": "development",
            "KELLEXA_STATE_DIR": str(state),
            "DATABASE_URL": _database_url(),
            "EMAIL_URL": email_url,
        }
        self.process = subprocess.Popen(
            [sys.executable, str(RUNNER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=RUNNER.parents[3],
        )
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def die_before_line(self, nth: int) -> str:
        """Sweeps in a process that dies before its n-th line; ``killed``, or ``done 0`` if it has fewer."""
        return self._order(f"line {nth}")

    def die_after(self, milliseconds: int) -> str:
        """Sweeps in a process that is killed after so long."""
        return self._order(f"after {milliseconds}")

    def _order(self, order: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        return self._line()

    def end(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def _database_url() -> str:
    given = connection.settings_dict
    host = quote(str(given["HOST"]), safe="")
    port = f":{given['PORT']}" if given["PORT"] else ""
    user = quote(str(given["USER"])) + (f":{quote(str(given['PASSWORD']))}" if given["PASSWORD"] else "")
    return f"postgres://{user}@{host}{port}/{given['NAME']}"


@pytest.fixture
def worker_to_smtp(smtp: SmtpServer, tmp_path: Path) -> Iterator[Worker]:
    worker = Worker(state=tmp_path, email_url=f"smtp://{smtp.host}:{smtp.port}")
    yield worker
    worker.end()


@pytest.fixture
def worker_to_files(mailbox: Path) -> Iterator[Worker]:
    worker = Worker(state=mailbox.parent)
    yield worker
    worker.end()


def _end_leases() -> None:
    """What time does by itself: the leases of the dead run out, and retries fall due."""
    past = timezone.now() - timedelta(seconds=1)
    OutboxMail.objects.filter(state__in=OutboxMail.HELD).update(leased_until=past)
    OutboxMail.objects.filter(state=State.PENDING).update(due_at=past)


def _in_doubt() -> set[str]:
    """The Message-IDs of the mails whose fate the last kill left unknown."""
    return set(OutboxMail.objects.filter(state=State.SENDING).values_list("message_id", flat=True))


def _recover() -> None:
    """One calm sweep, long after, over what the dead left: rows, and files half written."""
    _end_leases()
    for leftover in Path(settings.MAIL_DIRECTORY).glob(".*.tmp"):
        os.utime(leftover, (0, 0))
    deliver_due(actor=MAIL)


def _kill_before_every_line(worker: Worker, write: Write) -> tuple[list[OutboxMail], set[str]]:
    """Writes a mail and kills its worker before line 1, 2, 3… until a sweep has fewer lines.

    Now and then the worker that takes over dies too. Returns the mails, and the Message-IDs of those that
    were once in doubt.
    """
    mails: list[OutboxMail] = []
    in_doubt: set[str] = set()
    for nth in range(1, 1000):
        mails.append(write())
        answer = worker.die_before_line(nth)
        if answer != "killed":
            assert answer == "done 0"
            assert nth > FEWEST_LINES
            break
        in_doubt |= _in_doubt()
        _end_leases()
        if nth % SECOND_KILL_EVERY == 0:
            worker.die_before_line(nth)
            in_doubt |= _in_doubt()
        _recover()
    assert set(OutboxMail.objects.values_list("state", flat=True)) == {State.SENT}
    return mails, in_doubt


def _files(mailbox: Path) -> list[str]:
    return sorted(path.name for path in mailbox.glob("*.eml"))


@pytest.mark.timeout(300)
def test_each_mail_is_one_file_though_workers_die_before_any_line(
    worker_to_files: Worker, write: Write, mailbox: Path
) -> None:
    mails, _doubts = _kill_before_every_line(worker_to_files, write)

    assert _files(mailbox) == sorted(file_name(mail.message_id) for mail in mails)
    assert not list(mailbox.glob(".*.tmp"))


@pytest.mark.timeout(300)
def test_server_gets_no_mail_twice_but_those_that_died_awaiting_its_answer(
    worker_to_smtp: Worker, smtp: SmtpServer, write: Write
) -> None:
    mails, in_doubt = _kill_before_every_line(worker_to_smtp, write)

    copies = smtp.copies()
    assert set(copies) == {mail.message_id for mail in mails}
    assert {message_id for message_id, count in copies.items() if count > 1} <= in_doubt
    assert len(in_doubt) < len(mails) / 4
    assert len(set(smtp.raw)) == len(mails)


@pytest.mark.timeout(300)
def test_each_mail_is_one_file_though_workers_die_at_any_instant(
    worker_to_files: Worker, write: Write, mailbox: Path
) -> None:
    chance = random.Random(20261123)
    mails: list[OutboxMail] = []

    for _ in range(RANDOM_KILLS):
        mails.extend(write() for _ in range(4))
        assert worker_to_files.die_after(chance.randint(20, 250)) == "killed"
        _end_leases()
    _recover()

    assert _files(mailbox) == sorted(file_name(mail.message_id) for mail in mails)
    assert set(OutboxMail.objects.values_list("state", flat=True)) == {State.SENT}

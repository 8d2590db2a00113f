"""Nothing is lost and nothing doubled while processes die at random.

People sign up, enrol, create a key and are reminded of it, while web, worker, beat, PostgreSQL and the broker
are killed outright again and again: forty people in each run of the suite, two hundred by `make kills`. Then
the portal's own books are checked against each other and against the files of mail.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from kellexa_portal.dev.stack import Stack
from tests.support.mailbox import Mailbox
from tests.support.person import Person

pytestmark = [pytest.mark.journey, pytest.mark.timeout(1200)]

PEOPLE = int(os.environ.get("KELLEXA_KILL_PEOPLE", "40"))
AT_ONCE = 16
VICTIMS = ("web", "worker", "beat", "postgres", "redis")
SECONDS_BETWEEN_KILLS = (1.0, 4.0)
# What dies five times within 20 s of its start is given up on, by design; a victim is left alone longer.
REST_SECONDS = 21.0
SETTLE_SECONDS = 240.0


class Killer(threading.Thread):
    """Kills something at random moments until it is stopped."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(daemon=True)
        self.kills: Counter[str] = Counter()
        self._stack = stack
        self._stop_asked = threading.Event()
        self._chance = random.Random(20261123)
        self._died_at: dict[str, float] = {}

    def run(self) -> None:
        while not self._stop_asked.wait(self._chance.uniform(*SECONDS_BETWEEN_KILLS)):
            now = time.monotonic()
            rested = [name for name in VICTIMS if now - self._died_at.get(name, 0) > REST_SECONDS]
            if rested:
                self._kill(self._chance.choice(rested))

    def _kill(self, victim: str) -> None:
        with suppress(LookupError, ProcessLookupError):
            self._stack.kill(victim)
            self.kills[victim] += 1
            self._died_at[victim] = time.monotonic()

    def stop(self) -> None:
        self._stop_asked.set()
        self.join()


@pytest.fixture
def fragile(tmp_path: Path) -> Iterator[Stack]:
    """A portal on embedded servers of its own, which may be killed."""
    extra = {"TRUSTED_PROXIES": "127.0.0.0/8,::1/128"}
    with Stack(state_dir=tmp_path / "portal", embedded=True, extra=extra) as running:
        yield running


def test_killing_processes_loses_nothing_and_doubles_nothing(
    fragile: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    mailbox = Mailbox(Path(fragile.mail_dir))
    people = [Person(number, url=fragile.url, mailbox=mailbox) for number in range(PEOPLE)]
    killer = Killer(fragile)
    killer.start()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(Person.go, people))
    killer.stop()
    books = Books(fragile)
    books.wait_until_settled(people=PEOPLE)

    with capsys.disabled():
        facts = {"kills": dict(killer.kills), "retries": sum(person.retries for person in people)}
        sys.stdout.write(json.dumps({"people": PEOPLE, **facts, **books.counts()}) + "\n")
    assert sum(killer.kills.values()) >= PEOPLE // 20
    books.expect_one_of_each(PEOPLE)
    books.expect_mail_and_files_to_agree(mailbox)


class Books:
    """What the portal holds, read past its own code."""

    def __init__(self, stack: Stack) -> None:
        self._url = stack.environment["DATABASE_URL"]

    def _one(self, query: str) -> int:
        with psycopg.connect(self._url) as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])

    def counts(self) -> dict[str, int]:
        return {
            "users": self._one("SELECT count(*) FROM accounts_user"),
            "organizations": self._one("SELECT count(*) FROM organizations_organization"),
            "keys": self._one("SELECT count(*) FROM credentials_apikey"),
            "reminders": self._one("SELECT count(*) FROM rotation_reminder WHERE state = 'sent'"),
            "mails": self._one("SELECT count(*) FROM mail_outboxmail"),
            "mails_tried_again": self._one("SELECT count(*) FROM mail_outboxmail WHERE attempts > 1"),
            "events": self._one("SELECT count(*) FROM audit_event"),
        }

    def wait_until_settled(self, *, people: int) -> None:
        """Until everybody was reminded, every mail has left and every event is sealed."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline:
            with suppress(psycopg.Error):
                if self._is_settled(people):
                    return
            time.sleep(1)
        raise AssertionError(f"not settled after {SETTLE_SECONDS} s: {self.counts()}")

    def _is_settled(self, people: int) -> bool:
        waiting = self._one("SELECT count(*) FROM mail_outboxmail WHERE state <> 'sent'")
        unsealed = self._one(
            "SELECT count(*) FROM audit_event e LEFT JOIN audit_leaf l ON l.event_id = e.id"
            " WHERE l.event_id IS NULL"
        )
        reminded = self._one(
            "SELECT count(DISTINCT recipient_id) FROM rotation_reminder WHERE state = 'sent'"
        )
        return waiting == 0 and unsealed == 0 and reminded >= people

    def expect_one_of_each(self, people: int) -> None:
        assert self.counts() | {"mails": 0, "mails_tried_again": 0, "events": 0} == {
            "users": people,
            "organizations": people,
            "keys": people,
            "reminders": people,
            "mails": 0,
            "mails_tried_again": 0,
            "events": 0,
        }
        for event in ("key.created", "key.reminder.send", "org.created"):
            assert self._one(f"SELECT count(*) FROM audit_event WHERE name = '{event}'") == people, event
        gaps = (
            "SELECT count(*) FROM (SELECT max(index) + 1 - count(*) AS missing FROM audit_leaf"
            " GROUP BY stream_type, stream_id) s WHERE missing <> 0"
        )
        assert self._one(gaps) == 0

    def expect_mail_and_files_to_agree(self, mailbox: Mailbox) -> None:
        """Each row of the outbox is one file, and each file is one row; one mail a reminder and a key.

        A mail handed over again after a kill takes the place of its own file, so nobody reads it twice; how
        many were is printed. Two mails that say the same would be two rows of one kind to one person.
        """
        files = Counter(str(mail["Message-ID"]) for mail in mailbox.all())
        with psycopg.connect(self._url) as connection:
            rows = connection.execute("SELECT message_id, kind, recipient FROM mail_outboxmail").fetchall()
        assert max(files.values()) == 1
        assert {identity.strip("<>") for identity in files} == {row[0].strip("<>") for row in rows}
        told = Counter((kind, recipient) for _, kind, recipient in rows)
        assert {kind: n for kind, n in told.items() if n > 1 and "confirm" not in kind[0]} == {}

"""What happens to a mail between the server's last doubt and our commit; on committed rows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from aiosmtpd.smtp import Envelope
from django.db import connection

from kellexa_portal.mail.actions.delivery import deliver_due
from kellexa_portal.mail.models import OutboxMail
from tests.kellexa_portal.mail.conftest import MAIL, Write
from tests.kellexa_portal.mail.smtp_server import SmtpServer

State = OutboxMail.State

pytestmark = pytest.mark.django_db(transaction=True)


@contextlib.contextmanager
def _another_connection() -> Iterator[psycopg.Connection[Any]]:
    """A connection of its own, as another worker or the administrator has."""
    given = connection.get_connection_params()
    known = {key: given[key] for key in ("dbname", "user", "password", "host", "port") if given.get(key)}
    with psycopg.connect(autocommit=True, **known) as other:
        yield other


def test_handover_is_committed_before_the_server_has_the_whole_mail(write: Write, smtp: SmtpServer) -> None:
    write()
    seen = []

    def look(_envelope: Envelope) -> None:
        with _another_connection() as other:
            seen.extend(other.execute("SELECT state, body IS NULL FROM mail_outboxmail").fetchall())

    smtp.orders.before_answer = look

    deliver_due(actor=MAIL)

    assert seen == [("sending", False)]


def test_no_transaction_is_open_while_the_server_is_spoken_to(write: Write, smtp: SmtpServer) -> None:
    write()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    seen = []

    def look(_envelope: Envelope) -> None:
        with _another_connection() as other:
            query = "SELECT state, xact_start FROM pg_stat_activity WHERE pid = %s"
            seen.extend(other.execute(query, [pid]).fetchall())

    smtp.orders.before_answer = look

    deliver_due(actor=MAIL)

    assert seen == [("idle", None)]


def test_mail_is_sent_once_though_the_database_drops_us_before_we_can_record_it(
    write: Write, smtp: SmtpServer
) -> None:
    mail = write()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]

    def cut(_envelope: Envelope) -> None:
        with _another_connection() as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])

    smtp.orders.before_answer = cut

    deliver_due(actor=MAIL)
    deliver_due(actor=MAIL)

    mail.refresh_from_db()
    assert mail.state == State.SENT
    assert smtp.copies() == {mail.message_id: 1}


def test_late_worker_cannot_change_what_another_recorded(write: Write, smtp: SmtpServer) -> None:
    mail = write()

    def overtake(_envelope: Envelope) -> None:
        with _another_connection() as other:
            other.execute(
                "UPDATE mail_outboxmail SET state = 'failed', lease_token = NULL, leased_until = NULL"
            )

    smtp.orders.before_answer = overtake

    deliver_due(actor=MAIL)

    mail.refresh_from_db()
    assert mail.state == State.FAILED
    assert mail.body is not None


def test_mail_answered_too_late_is_sent_again_byte_for_byte(
    write: Write, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    from kellexa_portal.mail import backends

    mail = write()
    monkeypatch.setattr(backends._FencedSMTP, "FINAL_SECONDS", 0.2)
    smtp.orders.before_answer = lambda _envelope: time.sleep(0.5)
    deliver_due(actor=MAIL)
    smtp.orders.before_answer = lambda _envelope: None
    OutboxMail.objects.update(due_at=mail.created_at)

    deliver_due(actor=MAIL)

    first, second = smtp.raw
    assert first == second

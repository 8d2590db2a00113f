"""Delivery to a real SMTP server that answers well, badly, late or never."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from kellexa_portal.audit import Stream
from kellexa_portal.audit.queries import events_of
from kellexa_portal.core.ids import uuid7
from kellexa_portal.mail import backends
from kellexa_portal.mail.actions.delivery import deliver, deliver_due
from kellexa_portal.mail.models import OutboxMail
from tests.kellexa_portal.mail.conftest import LINK, MAIL, Write
from tests.kellexa_portal.mail.smtp_server import SmtpServer

State = OutboxMail.State

pytestmark = pytest.mark.django_db


def _let_time_pass() -> None:
    """Makes every planned retry due and ends every lease."""
    past = timezone.now() - timedelta(seconds=1)
    OutboxMail.objects.filter(state=State.PENDING).update(due_at=past)
    OutboxMail.objects.filter(state__in=OutboxMail.HELD).update(leased_until=past)


def test_mail_arrives_with_both_parts_and_its_headers(write: Write, smtp: SmtpServer, settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "Kellexa Sicherheit <no-reply@kellexa.example>"
    mail = write(to="ada@acme.example", subject="Bestätigen", headers={"List-Id": "<keys.kellexa.example>"})

    deliver_due(actor=MAIL)

    [arrived] = smtp.mails
    assert smtp.recipients == ["ada@acme.example"]
    assert arrived["To"] == "ada@acme.example"
    assert arrived["From"] == "Kellexa Sicherheit <no-reply@kellexa.example>"
    assert arrived["Subject"] == "Bestätigen"
    assert arrived["Message-ID"] == mail.message_id
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert arrived["List-Id"] == "<keys.kellexa.example>"
    assert arrived["Date"].datetime is not None
    assert LINK in arrived.get_body(("plain",)).get_content()
    assert LINK.replace("&", "&amp;") in arrived.get_body(("html",)).get_content()


def test_text_cannot_end_the_mail_and_smuggle_another(write: Write, smtp: SmtpServer) -> None:
    smuggled = "Ada\r\n.\r\nMAIL FROM:<x@evil.example>\r\nRCPT TO:<y@evil.example>\r\nDATA\r\n"
    for name in (smuggled, smuggled.replace("\r\n", "\n"), smuggled.replace("\r\n.", "\r.\r"), ".\n..\n"):
        write(context={"name": name})

    deliver_due(actor=MAIL)

    assert smtp.recipients == [f"ada{number}@acme.example" for number in (1, 2, 3, 4)]
    lines = smtp.mails[0].get_body(("plain",)).get_content().splitlines()
    assert lines[:3] == ["Hello Ada", ".", "MAIL FROM:<x@evil.example>"]


def test_sent_mail_keeps_no_body(write: Write, smtp: SmtpServer) -> None:
    mail = write()

    deliver_due(actor=MAIL)

    mail.refresh_from_db()
    assert mail.state == State.SENT
    assert mail.body is None
    assert mail.sent_at is not None
    assert mail.lease_token is None


def test_sent_mail_is_not_sent_again(write: Write, smtp: SmtpServer) -> None:
    mail = write()
    deliver(actor=MAIL, mail_id=mail.pk)

    deliver(actor=MAIL, mail_id=mail.pk)
    deliver_due(actor=MAIL)

    assert smtp.copies() == {mail.message_id: 1}


def test_mail_held_by_another_worker_is_left_alone(write: Write, smtp: SmtpServer) -> None:
    mail = write()
    until = timezone.now() + timedelta(minutes=1)
    OutboxMail.objects.update(state=State.LEASED, lease_token=uuid4(), leased_until=until)

    deliver(actor=MAIL, mail_id=mail.pk)
    deliver_due(actor=MAIL)

    assert smtp.mails == []


def test_mail_of_a_dead_worker_is_taken_over(write: Write, smtp: SmtpServer) -> None:
    mail = write()
    until = timezone.now() - timedelta(seconds=1)
    OutboxMail.objects.update(state=State.LEASED, lease_token=uuid4(), leased_until=until, attempts=1)

    deliver_due(actor=MAIL)

    mail.refresh_from_db()
    assert mail.state == State.SENT
    assert mail.attempts == 2


def test_batch_uses_one_connection(write: Write, smtp: SmtpServer) -> None:
    for _ in range(5):
        write()

    sent = deliver_due(actor=MAIL)

    assert sent == 5
    assert len(smtp.mails) == 5
    assert smtp.connections == 1


@pytest.mark.parametrize("place", ["recipient_answers", "data_answers"])
def test_temporary_refusal_is_tried_again_with_the_same_bytes(
    write: Write, smtp: SmtpServer, place: str
) -> None:
    mail = write()
    getattr(smtp.orders, place).append("451 Try later")

    deliver_due(actor=MAIL)

    mail.refresh_from_db()
    assert mail.state == State.PENDING
    assert mail.last_error == "451 Try later"
    assert timedelta(seconds=20) < mail.due_at - timezone.now() < timedelta(seconds=40)
    _let_time_pass()
    deliver_due(actor=MAIL)
    mail.refresh_from_db()
    assert mail.state == State.SENT
    assert smtp.copies() == {mail.message_id: 1}


@pytest.mark.parametrize("place", ["recipient_answers", "data_answers"])
def test_final_refusal_fails_the_mail_on_record(write: Write, smtp: SmtpServer, place: str) -> None:
    person = uuid7()
    mail = write(person=person)
    getattr(smtp.orders, place).append("550 No such user")

    deliver_due(actor=MAIL)

    mail.refresh_from_db()
    assert mail.state == State.FAILED
    assert mail.last_error == "550 No such user"
    [event] = events_of(Stream.user(person))
    assert event.name == "mail.delivery.fail"
    assert event.target_id == str(mail.public_id)
    assert "s3cr3t" not in str(event.changes)


def test_failure_of_a_mail_to_nobody_known_stands_in_the_system_log(write: Write, smtp: SmtpServer) -> None:
    write()
    smtp.orders.recipient_answers.append("550 No such user")

    deliver_due(actor=MAIL)

    assert [event.name for event in events_of(Stream.system())] == ["mail.delivery.fail"]


def test_batch_goes_on_after_a_refusal(write: Write, smtp: SmtpServer) -> None:
    mails = [write(), write(), write()]
    smtp.orders.recipient_answers.extend(["", "550 No such user"])

    deliver_due(actor=MAIL)

    assert smtp.copies() == {mails[0].message_id: 1, mails[2].message_id: 1}


def test_batch_goes_on_after_a_body_that_cannot_be_opened(write: Write, smtp: SmtpServer) -> None:
    broken, whole = write(), write()
    OutboxMail.objects.filter(pk=broken.pk).update(body=b"\x01garbage")

    deliver_due(actor=MAIL)

    broken.refresh_from_db()
    assert broken.state == State.PENDING
    assert smtp.copies() == {whole.message_id: 1}


def test_refused_password_fails_no_mail(write: Write, smtp: SmtpServer, settings: Any) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "portal", "wrong-password-9x"
    mail = write()

    deliver_due(actor=MAIL)

    mail.refresh_from_db()
    assert mail.state == State.PENDING
    assert "wrong-password-9x" not in mail.last_error


def test_unreachable_server_costs_one_mail_one_try(write: Write, smtp: SmtpServer, settings: Any) -> None:
    mails = [write(), write(), write()]
    settings.EMAIL_PORT = 1

    deliver_due(actor=MAIL)

    attempts = OutboxMail.objects.order_by("pk").values_list("attempts", flat=True)
    assert list(attempts) == [1, 0, 0]
    settings.EMAIL_PORT = smtp.port
    _let_time_pass()
    deliver_due(actor=MAIL)
    assert smtp.copies() == {mail.message_id: 1 for mail in mails}


def test_server_that_dies_inside_the_mail_gets_it_again_once(write: Write, smtp: SmtpServer) -> None:
    first, second = write(), write()
    smtp.orders.deaths_in_data = 1

    deliver_due(actor=MAIL)

    first.refresh_from_db()
    assert first.state == State.PENDING
    assert smtp.copies() == {second.message_id: 1}
    _let_time_pass()
    deliver_due(actor=MAIL)
    assert smtp.copies() == {first.message_id: 1, second.message_id: 1}


def test_twelfth_failure_gives_the_mail_up(write: Write, smtp: SmtpServer) -> None:
    mail = write()
    OutboxMail.objects.update(attempts=11)
    smtp.orders.recipient_answers.append("451 Try later")

    deliver_due(actor=MAIL)

    mail.refresh_from_db()
    assert mail.state == State.FAILED


def test_overtaken_worker_drops_the_mail_before_its_last_byte(
    write: Write, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = write()
    send = OutboxMail.objects.filter(pk=mail.pk)
    _overtake_during(monkeypatch, lambda: send.update(lease_token=uuid4()))

    deliver_due(actor=MAIL)

    mail.refresh_from_db()
    assert smtp.mails == []
    assert mail.state == State.LEASED


def _overtake_during(monkeypatch: pytest.MonkeyPatch, overtake: Any) -> None:
    """Runs ``overtake`` when the server has the whole mail but its end."""
    sent = backends._FencedSMTP.send

    def send(self: Any, data: Any) -> None:
        sent(self, data)
        if b"Message-ID" in bytes(data if isinstance(data, bytes) else data.encode()):
            overtake()

    monkeypatch.setattr(backends._FencedSMTP, "send", send)

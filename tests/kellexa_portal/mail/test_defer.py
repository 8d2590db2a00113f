"""Putting mails into the outbox."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings as django_settings
from django.db import connection, connections, transaction
from django.utils import timezone
from redis import Redis

from kellexa_portal.core.ids import uuid7
from kellexa_portal.crypto import SealedValueError
from kellexa_portal.mail import body, defer
from kellexa_portal.mail.models import OutboxMail
from kellexa_portal.mail.rules import InvalidRecipientError, UnsafeHeaderError
from tests.kellexa_portal.mail.conftest import LINK, Write


@pytest.mark.django_db(transaction=True)
def test_mail_outside_a_transaction_is_refused() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        defer(
            "sample",
            to="ada@acme.example",
            subject="Hello",
            template="sample/welcome",
            context={},
            dedupe_key="outside",
        )

    assert not OutboxMail.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_mail_goes_with_the_change_that_was_rolled_back(write: Write) -> None:
    with transaction.atomic():
        write()
        transaction.set_rollback(True)

    assert not OutboxMail.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_commit_sends_one_job_that_names_the_mail(write: Write) -> None:
    mail = write()
    write(to=mail.recipient, dedupe_key=mail.dedupe_key)

    jobs = _queued_jobs()
    assert [(job["headers"]["task"], _kwargs(job)) for job in jobs] == [
        ("mail.deliver", {"mail_id": mail.pk})
    ]


def _queued_jobs() -> list[dict[str, Any]]:
    with Redis.from_url(django_settings.REDIS_URL) as redis:
        return [json.loads(job) for job in redis.lrange(f"{django_settings.REDIS_KEY_PREFIX}celery", 0, -1)]


def _kwargs(job: dict[str, Any]) -> Any:
    from base64 import b64decode

    return json.loads(b64decode(job["body"]))[1]


@pytest.mark.django_db
def test_second_mail_with_the_same_key_is_the_first(write: Write) -> None:
    first = write(dedupe_key="signup:1", subject="First")

    second = write(dedupe_key="signup:1", subject="Second", to="other@acme.example")

    assert second.pk == first.pk
    assert second.subject == "First"
    assert OutboxMail.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_mail_is_written_when_many_defer_the_same_key_at_once(write: Write) -> None:
    start = threading.Barrier(6)

    def race(_number: int) -> int:
        try:
            start.wait()
            return write(dedupe_key="reminder:7").pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        keys = set(pool.map(race, range(6)))

    assert keys == {OutboxMail.objects.get().pk}


@pytest.mark.django_db(transaction=True)
def test_key_of_a_rolled_back_mail_is_free_for_the_one_that_waited(write: Write) -> None:
    first_wrote, done = threading.Event(), threading.Event()

    def roll_back() -> None:
        try:
            with transaction.atomic():
                write(dedupe_key="reminder:8")
                first_wrote.set()
                done.wait(0.5)
                transaction.set_rollback(True)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        rolling_back = pool.submit(roll_back)
        first_wrote.wait()
        mail = write(dedupe_key="reminder:8")
        rolling_back.result()

    assert OutboxMail.objects.get().pk == mail.pk


@pytest.mark.django_db
def test_stored_body_shows_no_link(write: Write) -> None:
    mail = write()

    with connection.cursor() as cursor:
        cursor.execute("SELECT mail_outboxmail::text, encode(body, 'escape') FROM mail_outboxmail")
        row = " ".join(cursor.fetchone())
    assert "t0ken" not in row
    assert LINK in body.of(mail).text


@pytest.mark.django_db
@pytest.mark.parametrize("person", [None, UUID("018f0000-0000-7000-8000-000000000001")])
def test_body_moved_to_another_mail_does_not_open(write: Write, person: UUID | None) -> None:
    one, other = write(person=person), write(person=uuid7())
    other.body = one.body

    with pytest.raises(SealedValueError):
        body.of(other)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "given",
    [
        {"subject": "Hello\r\nBcc: thief@evil.example"},
        {"headers": {"List-Unsubscribe": "<https://a.example>\r\nBcc: thief@evil.example"}},
        {"headers": {"Bcc": "thief@evil.example"}},
        {"headers": {"Reply-To\r\nBcc": "thief@evil.example"}},
    ],
)
def test_header_injection_is_refused(write: Write, given: dict[str, Any]) -> None:
    with pytest.raises(UnsafeHeaderError):
        write(**given)

    assert not OutboxMail.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "to", ["ada@acme.example, thief@evil.example", "ada@acme.example\nBcc: x@y.z", "ada"]
)
def test_recipient_that_is_more_or_less_than_an_address_is_refused(write: Write, to: str) -> None:
    with pytest.raises(InvalidRecipientError):
        write(to=to)

    assert not OutboxMail.objects.exists()


@pytest.mark.django_db
def test_text_and_html_say_the_same(write: Write) -> None:
    rendered = body.of(write(subject="Confirm your address"))

    for words in ("Hello Ada, confirm your address.", "When", "23 Nov 2026", "Zürich", "Confirm address"):
        assert words in rendered.text
        assert words in rendered.html
    assert LINK in rendered.text
    assert LINK.replace("&", "&amp;") in rendered.html


@pytest.mark.django_db
def test_name_is_escaped_in_html_and_verbatim_in_text(write: Write) -> None:
    rendered = body.of(write(context={"name": '<img src=x> & "Co"'}))

    assert '<img src=x> & "Co"' in rendered.text
    assert "<img" not in rendered.html
    assert "&lt;img src=x&gt; &amp;" in rendered.html


@pytest.mark.django_db
def test_fact_with_line_breaks_forges_no_second_fact(write: Write) -> None:
    facts = [("Device", "Firefox\nWhere: your own desk\n\nCall +1 555 0100")]

    rendered = body.of(write(context={"facts": facts}))

    assert "Device: Firefox Where: your own desk Call +1 555 0100" in rendered.text.splitlines()


@pytest.mark.django_db
def test_html_stands_alone_and_knows_the_dark(write: Write) -> None:
    html = body.of(write()).html

    assert 'style="' in html
    assert "prefers-color-scheme: dark" in html
    assert 'name="color-scheme" content="light dark"' in html
    assert "<link" not in html
    assert "<script" not in html
    assert "<img" not in html


@pytest.mark.django_db
def test_new_mail_is_due_at_once(write: Write) -> None:
    mail = write()

    assert mail.state == OutboxMail.State.PENDING
    assert mail.attempts == 0
    assert abs(mail.due_at - timezone.now()) < timedelta(seconds=10)

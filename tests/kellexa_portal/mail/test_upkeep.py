"""Another try by staff, and the end of keeping."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from kellexa_portal.audit import Stream
from kellexa_portal.audit.queries import events_of
from kellexa_portal.core.actor import Actor, ActorType
from kellexa_portal.mail.actions.delivery import deliver_due
from kellexa_portal.mail.actions.upkeep import (
    MailUnknownError,
    NotRetriableError,
    RetryForbiddenError,
    purge,
    retry_mail,
)
from kellexa_portal.mail.models import OutboxMail
from tests.kellexa_portal.mail.conftest import MAIL, Write
from tests.kellexa_portal.mail.smtp_server import SmtpServer

State = OutboxMail.State
STAFF = Actor(ActorType.STAFF, "018f0000-0000-7000-8000-0000000000aa")

pytestmark = pytest.mark.django_db


def _failed(mail: OutboxMail) -> OutboxMail:
    OutboxMail.objects.filter(pk=mail.pk).update(state=State.FAILED, attempts=3)
    mail.refresh_from_db()
    return mail


def test_failed_mail_is_sent_after_staff_order_another_try(write: Write, smtp: SmtpServer) -> None:
    mail = _failed(write())

    retry_mail(actor=STAFF, mail_id=mail.pk)
    deliver_due(actor=MAIL)

    assert smtp.copies() == {mail.message_id: 1}
    [event] = events_of(Stream.staff())
    assert (event.name, event.actor_id, event.target_id) == (
        "mail.delivery.retry",
        STAFF.id,
        str(mail.public_id),
    )


def test_sent_mail_cannot_be_tried_again(write: Write, smtp: SmtpServer) -> None:
    mail = write()
    deliver_due(actor=MAIL)

    with pytest.raises(NotRetriableError):
        retry_mail(actor=STAFF, mail_id=mail.pk)


def test_failed_mail_without_its_body_cannot_be_tried_again(write: Write) -> None:
    mail = _failed(write())
    OutboxMail.objects.update(body=None)

    with pytest.raises(NotRetriableError):
        retry_mail(actor=STAFF, mail_id=mail.pk)


def test_unknown_mail_cannot_be_tried_again() -> None:
    with pytest.raises(MailUnknownError):
        retry_mail(actor=STAFF, mail_id=404)


@pytest.mark.parametrize(
    "actor", [Actor.anonymous(), Actor(ActorType.PERSON, "x"), Actor.key("k")], ids=lambda actor: actor.type
)
def test_only_staff_order_another_try(write: Write, actor: Actor) -> None:
    mail = _failed(write())

    with pytest.raises(RetryForbiddenError):
        retry_mail(actor=actor, mail_id=mail.pk)


@pytest.mark.parametrize(("age", "is_kept"), [(timedelta(hours=23), True), (timedelta(hours=25), False)])
def test_failed_mail_keeps_its_body_for_a_day(write: Write, age: timedelta, *, is_kept: bool) -> None:
    mail = _failed(write())
    OutboxMail.objects.update(created_at=timezone.now() - age)

    purge(actor=MAIL)

    mail.refresh_from_db()
    assert (mail.body is not None) is is_kept


@pytest.mark.parametrize(("age", "is_kept"), [(timedelta(days=29), True), (timedelta(days=31), False)])
def test_sent_mail_is_removed_after_thirty_days(
    write: Write, smtp: SmtpServer, age: timedelta, *, is_kept: bool
) -> None:
    write()
    deliver_due(actor=MAIL)
    OutboxMail.objects.update(created_at=timezone.now() - age)

    purge(actor=MAIL)

    assert OutboxMail.objects.exists() is is_kept


def test_waiting_mail_is_never_removed(write: Write) -> None:
    write()
    OutboxMail.objects.update(created_at=timezone.now() - timedelta(days=99))

    purge(actor=MAIL)

    assert OutboxMail.objects.filter(body__isnull=False).count() == 1

"""Another try by staff, and the end of keeping."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.identity.models import StaffAssignment
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
from tests.factories import accounts
from tests.kellexa_portal.mail.conftest import MAIL, Write
from tests.kellexa_portal.mail.smtp_server import SmtpServer

State = OutboxMail.State

pytestmark = pytest.mark.django_db


def _staff(role: str = StaffAssignment.Role.ADMINISTRATOR) -> Actor:
    return Actor.of(accounts.staff(role))


def _failed(mail: OutboxMail) -> OutboxMail:
    OutboxMail.objects.filter(pk=mail.pk).update(state=State.FAILED, attempts=3)
    mail.refresh_from_db()
    return mail


def test_failed_mail_is_sent_after_staff_order_another_try(write: Write, smtp: SmtpServer) -> None:
    mail, staff = _failed(write()), _staff()

    retry_mail(actor=staff, mail_id=mail.pk)
    deliver_due(actor=MAIL)

    assert smtp.copies() == {mail.message_id: 1}
    [event] = events_of(Stream.staff())
    assert (event.name, event.actor_id, event.target_id) == (
        "mail.delivery.retry",
        staff.id,
        str(mail.public_id),
    )


def test_sent_mail_cannot_be_tried_again(write: Write, smtp: SmtpServer) -> None:
    mail = write()
    deliver_due(actor=MAIL)

    with pytest.raises(NotRetriableError):
        retry_mail(actor=_staff(), mail_id=mail.pk)


def test_failed_mail_without_its_body_cannot_be_tried_again(write: Write) -> None:
    mail = _failed(write())
    OutboxMail.objects.update(body=None)

    with pytest.raises(NotRetriableError):
        retry_mail(actor=_staff(), mail_id=mail.pk)


def test_unknown_mail_cannot_be_tried_again() -> None:
    with pytest.raises(MailUnknownError):
        retry_mail(actor=_staff(), mail_id=404)


@pytest.mark.parametrize(
    "actor", [Actor.anonymous(), Actor(ActorType.PERSON, "x"), Actor.key("k")], ids=lambda actor: actor.type
)
def test_only_staff_order_another_try(write: Write, actor: Actor) -> None:
    mail = _failed(write())

    with pytest.raises(RetryForbiddenError):
        retry_mail(actor=actor, mail_id=mail.pk)


def test_staff_whose_role_does_not_include_it_are_refused_on_record(write: Write) -> None:
    mail, auditor = _failed(write()), _staff(StaffAssignment.Role.PLATFORM_AUDITOR)

    with pytest.raises(RetryForbiddenError):
        retry_mail(actor=auditor, mail_id=mail.pk)

    [event] = events_of(Stream.staff())
    assert (event.name, event.outcome, event.actor_id) == ("mail.delivery.refuse", "denied", auditor.id)


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

"""What staff and the calendar do to the outbox: another try, and the end of keeping."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kellexa_portal.audit import Outcome, Stream, Target, record, record_independently
from kellexa_portal.core import jobs
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault
from kellexa_portal.mail import access, rules
from kellexa_portal.mail.actions.outbox import DELIVER_TASK
from kellexa_portal.mail.events import MailEvent
from kellexa_portal.mail.models import OutboxMail

BATCH = 5000


class MailUnknownError(DomainError):
    """No such mail."""

    code = "mail.unknown"
    fault = Fault.NOT_FOUND
    message = _("There is no such mail.")


class RetryForbiddenError(DomainError):
    """Only staff whose role includes it order another try."""

    code = "mail.retry_forbidden"
    fault = Fault.FORBIDDEN
    message = _("You may not order another try.")


class NotRetriableError(DomainError):
    """Not failed, or its content is gone."""

    code = "mail.not_retriable"
    fault = Fault.CONFLICT
    message = _("Only a failed mail whose content is still stored can be tried again.")


def retry_mail(*, actor: Actor, mail_id: int) -> OutboxMail:
    """Orders one more try of a failed mail, on record.

    The tries already made still count: if this one fails for good, the mail has failed again.
    """
    _require_retry(actor, mail_id)
    with transaction.atomic():
        mail = OutboxMail.objects.select_for_update().filter(pk=mail_id).first()
        if mail is None:
            raise MailUnknownError
        if mail.state != OutboxMail.State.FAILED or mail.body is None:
            raise NotRetriableError
        mail.state = OutboxMail.State.PENDING
        mail.due_at = timezone.now()
        mail.save(update_fields=["state", "due_at"])
        record(
            MailEvent.DELIVERY_RETRIED,
            actor=actor,
            stream=Stream.staff(),
            target=Target("mail", str(mail.public_id)),
            changes={"kind": mail.kind, "attempts": mail.attempts},
        )
        jobs.enqueue(DELIVER_TASK, mail_id=mail.pk)
    return mail


def _require_retry(actor: Actor, mail_id: int) -> None:
    """Raises ``RetryForbiddenError`` and puts the attempt on record, unless the actor's role admits it."""
    if access.may_retry(actor):
        return
    public_id = OutboxMail.objects.filter(pk=mail_id).values_list("public_id", flat=True).first()
    record_independently(
        MailEvent.RETRY_REFUSED,
        actor=actor,
        stream=Stream.staff(),
        target=Target("mail", str(public_id)) if public_id else None,
        outcome=Outcome.DENIED,
    )
    raise RetryForbiddenError


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge removed."""

    bodies: int
    mails: int


def purge(*, actor: Actor) -> Purged:
    """Destroys the bodies of failed mails after a day and closed mails after 30; repeats until none is left.

    After that a dedupe key may be used again: whoever defers keeps its own memory beyond a month. ``actor``
    is not put on record, for nothing that is evidence goes: failures stand in the audit log.
    """
    now = timezone.now()
    failed = OutboxMail.objects.filter(
        state=OutboxMail.State.FAILED, body__isnull=False, created_at__lte=now - rules.LIFETIME
    )
    bodies = failed.update(body=None)
    closed = OutboxMail.objects.filter(
        state__in=(OutboxMail.State.SENT, OutboxMail.State.FAILED), created_at__lte=now - rules.RETENTION
    )
    mails = 0
    while True:
        batch = list(closed.order_by("created_at").values_list("pk", flat=True)[:BATCH])
        if not batch:
            return Purged(bodies=bodies, mails=mails)
        mails += closed.filter(pk__in=batch).delete()[0]

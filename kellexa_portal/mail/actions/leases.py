"""Leases: which worker may send a mail, and write down what came of it.

Every step is a transaction of its own, committed before the next thing happens in the world outside. Each
write after the first names the token, so a worker that was stopped and overtaken can change nothing.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from kellexa_portal.audit import Outcome, Stream, Target, record
from kellexa_portal.core.actor import Actor
from kellexa_portal.mail import rules
from kellexa_portal.mail.events import MailEvent
from kellexa_portal.mail.failures import Failure
from kellexa_portal.mail.models import OutboxMail, OutboxMailQuerySet

logger = logging.getLogger(__name__)

State = OutboxMail.State

_DATABASE_PATIENCE_SECONDS = 20.0
_DATABASE_PAUSE_SECONDS = 0.5


class LeaseLostError(Exception):
    """Another worker has taken the mail over, since this one's lease ended."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to send ``mail`` for ``patience``, counted anew from the handover."""

    mail: OutboxMail
    token: UUID
    patience: timedelta

    def rows(self) -> OutboxMailQuerySet:
        """The mail's row while this lease holds, else nothing."""
        return OutboxMail.objects.filter(pk=self.mail.pk).held_by(self.token)


def claim_next(*, patience: timedelta) -> Lease | None:
    """Takes the mail that has waited longest: first those that a dead worker holds, then those due."""
    now = timezone.now()
    abandoned = OutboxMail.objects.abandoned(now).order_by("leased_until")
    return _claim(abandoned, patience) or _claim(OutboxMail.objects.due(now).order_by("due_at"), patience)


def claim(mail_id: int, *, patience: timedelta) -> Lease | None:
    """Takes the mail ``mail_id`` if it is due and nobody holds it."""
    return _claim(OutboxMail.objects.due(timezone.now()).filter(pk=mail_id), patience)


def _claim(rows: OutboxMailQuerySet, patience: timedelta) -> Lease | None:
    with transaction.atomic(durable=True):
        mail = rows.select_for_update(skip_locked=True).first()
        if mail is None:
            return None
        if mail.state == State.SENDING:
            logger.warning("mail_sent_again_in_doubt", extra={"mail": str(mail), "attempts": mail.attempts})
        mail.state = State.LEASED
        mail.lease_token = uuid4()
        mail.leased_until = timezone.now() + patience
        mail.attempts += 1
        mail.save(update_fields=["state", "lease_token", "leased_until", "attempts"])
    return Lease(mail=mail, token=mail.lease_token, patience=patience)


def begin_handover(lease: Lease) -> None:
    """Commits that the mail is about to leave; raises ``LeaseLostError`` if it is no longer ours to send.

    Called right before the last byte. It proves that the database takes writes at this very moment, and it
    stops a worker that hung for longer than its lease from sending what another has sent.
    """
    until = timezone.now() + lease.patience
    if not lease.rows().update(state=State.SENDING, leased_until=until):
        raise LeaseLostError


def settle_sent(lease: Lease) -> None:
    """Records that the server took the mail, and destroys its body: the links in it act for the person."""

    def write() -> int:
        return lease.rows().update(
            state=State.SENT,
            sent_at=timezone.now(),
            body=None,
            lease_token=None,
            leased_until=None,
            last_error="",
        )

    if not _written(write):
        logger.warning("mail_lease_lost_after_handover", extra={"mail": str(lease.mail)})


def settle_failed(lease: Lease, failure: Failure, *, actor: Actor) -> None:
    """Records a failed try: another is planned, or the mail is given up and that goes on record."""
    now = timezone.now()
    again_at = (
        None
        if failure.is_permanent
        else rules.next_try_at(
            attempts=lease.mail.attempts,
            created_at=lease.mail.created_at,
            now=now,
            chance=random.random(),  # noqa: S311  # spreads load, protects nothing
        )
    )
    if again_at is None:
        _written(lambda: _give_up(lease, failure, actor=actor))
        return
    _written(
        lambda: lease.rows().update(
            state=State.PENDING,
            due_at=again_at,
            lease_token=None,
            leased_until=None,
            last_error=failure.detail,
        )
    )
    logger.info("mail_put_off", extra={"mail": str(lease.mail), "reason": failure.reason})


def _give_up(lease: Lease, failure: Failure, *, actor: Actor) -> int:
    """Ends the mail and says so in the log of the person it was for, in one transaction."""
    mail = lease.mail
    with transaction.atomic():
        written = lease.rows().update(
            state=State.FAILED, lease_token=None, leased_until=None, last_error=failure.detail
        )
        if written:
            record(
                MailEvent.DELIVERY_FAILED,
                actor=actor,
                stream=Stream.user(mail.person) if mail.person else Stream.system(),
                target=Target("mail", str(mail.public_id)),
                outcome=Outcome.FAILURE,
                reason=failure.reason,
                changes={"kind": mail.kind, "attempts": mail.attempts},
            )
    return written


def _written(write: Callable[[], int]) -> int:
    """Does ``write``, through a restart of the database if need be.

    The server has answered and only this process knows it: to give up at the first lost connection would
    send the mail again. The time is shorter than any lease.
    """
    give_up_at = time.monotonic() + _DATABASE_PATIENCE_SECONDS
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError):
            if time.monotonic() > give_up_at or connection.in_atomic_block:
                raise
            connection.close()
            time.sleep(_DATABASE_PAUSE_SECONDS)

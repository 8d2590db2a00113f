"""Delivers mails. No database transaction is open while a server is spoken to."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core import mail as django_mail
from django.core.mail.backends.base import BaseEmailBackend

from kellexa_portal.core.actor import Actor
from kellexa_portal.mail.actions.leases import (
    Lease,
    LeaseLostError,
    begin_handover,
    claim,
    claim_next,
    settle_failed,
    settle_sent,
)
from kellexa_portal.mail.failures import judge
from kellexa_portal.mail.message import build

logger = logging.getLogger(__name__)

# A batch begins no mail after this; with the longest handover it still ends within the task's time limit.
BATCH_SECONDS = 20.0
DEFAULT_PATIENCE = timedelta(minutes=3)


class NothingSentError(Exception):
    """The backend raised nothing and yet took nothing."""


@dataclass(frozen=True, slots=True)
class _Courier:
    """One connection to the mail server, used for mail after mail and dropped after a failure."""

    connection: BaseEmailBackend
    actor: Actor

    @property
    def patience(self) -> timedelta:
        """How long the backend may need from its last doubt to the server's answer, with a margin."""
        patience: timedelta = getattr(self.connection, "patience", DEFAULT_PATIENCE)
        return patience

    def is_connected_for(self, lease: Lease) -> bool:
        """Whether the server answers; if not, the mail is put off."""
        try:
            self.connection.open()
        except Exception as error:  # noqa: BLE001  # whatever keeps us from the server, the mail must not be lost
            self._fail(lease, error)
            return False
        return True

    def carry(self, lease: Lease) -> bool:
        """Sends one mail and records what came of it; one bad mail never stops the next."""
        try:
            self._hand_over(lease)
        except LeaseLostError:
            logger.warning("mail_lease_lost", extra={"mail": str(lease.mail)})
            self.hang_up()
            return False
        except Exception as error:  # noqa: BLE001  # judged below; a batch goes on whatever one mail does
            self._fail(lease, error)
            return False
        settle_sent(lease)
        return True

    def _hand_over(self, lease: Lease) -> None:
        message = build(lease.mail, before_handover=lambda: begin_handover(lease))
        if not getattr(self.connection, "calls_before_handover", False):
            begin_handover(lease)
        if not self.connection.send_messages([message]):
            raise NothingSentError

    def _fail(self, lease: Lease, error: Exception) -> None:
        self.hang_up()
        settle_failed(lease, judge(error), actor=self.actor)

    def hang_up(self) -> None:
        """Closes the connection; what it says in parting is of no interest."""
        with contextlib.suppress(Exception):
            self.connection.close()


@contextlib.contextmanager
def _courier(actor: Actor) -> Iterator[_Courier]:
    courier = _Courier(connection=_backend(), actor=actor)
    try:
        yield courier
    finally:
        courier.hang_up()


def _backend() -> Any:
    return django_mail.get_connection(fail_silently=False)


def deliver_due(*, actor: Actor) -> int:
    """Sends what is due, oldest first, and returns how many went; safe to run anywhere, any number of times.

    A server that can't be reached ends the batch after one mail, so an outage costs one connection a sweep
    and spends no tries of the mails behind.
    """
    sent = 0
    stop_at = time.monotonic() + BATCH_SECONDS
    with _courier(actor) as courier:
        while time.monotonic() < stop_at:
            lease = claim_next(patience=courier.patience)
            if lease is None or not courier.is_connected_for(lease):
                break
            sent += courier.carry(lease)
    return sent


def deliver(*, actor: Actor, mail_id: int) -> bool:
    """Sends the mail ``mail_id`` if it is due and nobody else holds it; says whether it went."""
    with _courier(actor) as courier:
        lease = claim(mail_id, patience=courier.patience)
        if lease is None or not courier.is_connected_for(lease):
            return False
        return courier.carry(lease)

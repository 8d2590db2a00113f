"""What verification leaves behind. None of it may slow or fail the answer."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.credentials import rules, seals, verification
from accounts.credentials.actions import evidence
from accounts.credentials.events import KeyEvent
from accounts.credentials.models import ApiKey
from accounts.credentials.verification import Denial
from kellexa_portal.audit import Outcome, Stream, record_independently
from kellexa_portal.core.actor import Actor
from kellexa_portal.crypto import needs_rehash
from kellexa_portal.ratelimit import Limit, WhenDown, spend
from kellexa_portal.web.client import prefix_of

logger = logging.getLogger(__name__)

#: One record of one reason for one key in ten minutes: a client in a loop can't drown the log.
DENIALS = Limit("key-denial", 1, timedelta(minutes=10))


def note_use(*, key: ApiKey, token: str, ip: str) -> None:
    """Remembers when and whence the key was last used, to the minute.

    A row that somebody else holds is skipped, never waited for. The token of an older pepper is hashed
    anew, so that the pepper can retire.
    """
    border = timezone.now() - rules.LAST_USED_EVERY
    try:
        if key.last_used_at is None or key.last_used_at <= border:
            _touch(key, ip=ip, border=border)
        if needs_rehash(bytes(key.hash)):
            _rehash(key, token)
    except DatabaseError:
        logger.warning("key_use_not_noted", extra={"key_id": key.key_id}, exc_info=True)


def _touch(key: ApiKey, *, ip: str, border: datetime) -> None:
    with transaction.atomic():
        free = (
            ApiKey.objects.select_for_update(skip_locked=True)
            .filter(Q(last_used_at__isnull=True) | Q(last_used_at__lte=border), pk=key.pk)
            .values("pk")
        )
        ApiKey.objects.filter(pk__in=free).update(
            last_used_at=timezone.now(), last_used_ip_prefix=prefix_of(ip)
        )


def _rehash(key: ApiKey, token: str) -> None:
    with transaction.atomic():
        row = ApiKey.objects.select_for_update(skip_locked=True).filter(pk=key.pk).first()
        if row is None or not seals.is_intact(row):
            return
        row.hash = verification.hash_of(token)
        row.seal = seals.seal_of(row)
        row.save(update_fields=["hash", "seal"])


def note_denial(*, key: ApiKey, denial: Denial, caller: Actor, ip: str = "") -> None:
    """Tells the owner's log why a genuine token was refused; the one who showed it never learns.

    Only for a token whose secret was right: whoever merely knows an id writes nothing. ``ip`` is the
    address that the gateway asked about; the event's own source is the gateway.
    """
    subject = f"{key.key_id}:{denial}"
    try:
        if not spend(DENIALS, subject, when_down=WhenDown.REFUSE).allowed:
            return
        event = KeyEvent.TAMPERED if denial is Denial.TAMPERED else KeyEvent.VERIFY_DENIED
        streams = [evidence.stream_of(key)]
        if denial is Denial.TAMPERED:
            streams.append(Stream.system())
        for stream in streams:
            record_independently(
                event,
                actor=caller,
                stream=stream,
                target=evidence.target_of(key),
                outcome=Outcome.DENIED,
                reason=str(denial),
                changes={"asked_ip": ip} if ip else {},
            )
    except DatabaseError:
        logger.warning("key_denial_not_noted", extra={"key_id": key.key_id}, exc_info=True)

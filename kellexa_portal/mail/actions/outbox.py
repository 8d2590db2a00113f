"""Puts a mail into the outbox, together with the business change that it tells of."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import format_datetime, parseaddr
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from kellexa_portal.core import jobs
from kellexa_portal.mail import body, rules
from kellexa_portal.mail.models import OutboxMail
from kellexa_portal.mail.rendering import render

DELIVER_TASK = "mail.deliver"


def defer(
    kind: str,
    *,
    to: str,
    subject: str,
    template: str,
    context: Mapping[str, Any],
    dedupe_key: str,
    person: UUID | None = None,
    headers: Mapping[str, str] | None = None,
) -> OutboxMail:
    """Writes a mail that is delivered if, and only if, the caller's transaction commits.

    It is rendered now from ``{template}.txt`` and ``{template}.html``: what a later try sends is what was
    true at the change. A second call with the same ``dedupe_key`` returns the first mail unchanged, also
    when both run at once. ``headers`` hold no secret: unlike the body they are stored in the open.

    Raises ``InvalidRecipientError`` and ``UnsafeHeaderError``, and ``TransactionManagementError`` outside a
    transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("A mail is deferred inside the transaction it reports.")
    recipient = rules.recipient(to)
    subject = rules.header_text("Subject", str(subject), limit=rules.MAX_SUBJECT)
    all_headers = _headers(headers)
    known = OutboxMail.objects.filter(dedupe_key=dedupe_key).first()
    if known is not None:
        return known
    mail = OutboxMail(
        kind=kind,
        person=person,
        recipient=recipient,
        subject=subject,
        headers=all_headers,
        dedupe_key=dedupe_key,
        message_id=rules.message_id(dedupe_key, domain=settings.MAIL_DOMAIN or ""),
    )
    body.put(mail, render(template, subject=subject, context=context))
    return _insert(mail)


def _headers(own: Mapping[str, str] | None) -> dict[str, str]:
    """All headers but To, Subject and Message-ID, fixed now so that every try sends the same bytes."""
    sender = rules.header_text("From", settings.DEFAULT_FROM_EMAIL)
    rules.recipient(parseaddr(sender)[1])
    return {
        "From": sender,
        "Date": format_datetime(timezone.now()),
        "Auto-Submitted": "auto-generated",
        **rules.extra_headers(own),
    }


def _insert(mail: OutboxMail) -> OutboxMail:
    """Inserts ``mail`` unless its key is taken, perhaps by a transaction that this one waits for."""
    OutboxMail.objects.bulk_create([mail], ignore_conflicts=True)
    stored = OutboxMail.objects.get(dedupe_key=mail.dedupe_key)
    if stored.public_id == mail.public_id:
        jobs.enqueue(DELIVER_TASK, mail_id=stored.pk)
    return stored

"""One way to tell a person what happened to their account: to every verified address, with a way to object.

Each mail carries a link of its own, so that a mailbox that forwards or scans its mail spends one link and
not all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from accounts.identity import disavowal, queries
from accounts.identity.models import User
from kellexa_portal.audit.catalogue import AuditEvent
from kellexa_portal.mail import defer
from kellexa_portal.mail.models import OutboxMail

SUFFIX_DIGITS = 16


def send(
    event: AuditEvent,
    *,
    kind: str,
    user: User,
    subject: str,
    template: str,
    context: Mapping[str, Any],
    dedupe_key: str,
    can_be_disowned: bool = True,
    also_to: str | Sequence[str] = "",
    objection: Callable[[], str] | None = None,
) -> None:
    """Mails ``user`` that ``event`` happened, inside the transaction of the change.

    The templates show ``disavow_url`` by including ``accounts/identity/mail/_disavowal``. The other
    arguments are those of ``kellexa_portal.mail.defer``; a mail that is in the outbox already gets no
    second link. ``can_be_disowned`` is false for what the link itself brings about. ``also_to`` is an
    address, or several, that was verified until the event. ``objection`` makes the link of each mail where
    another way to object is nearer than a lock-down.
    """
    former = [also_to] if isinstance(also_to, str) else also_to
    addresses = list(filter(None, dict.fromkeys([*queries.verified_addresses(user), *former])))
    link = objection or (lambda: disavowal.link_for(user=user, event=event))
    for number, address in enumerate(addresses):
        own_key = dedupe_key if number == 0 else f"{dedupe_key}:{_digest(address)}"
        if OutboxMail.objects.filter(dedupe_key=own_key).exists():
            continue
        url = link() if can_be_disowned else ""
        defer(
            kind,
            to=address,
            subject=subject,
            template=template,
            context={**context, "disavow_url": url},
            dedupe_key=own_key,
            person=user.public_id,
        )


def _digest(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()[:SUFFIX_DIGITS]

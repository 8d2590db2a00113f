"""Builds the message that goes over the wire, byte for byte the same at every try."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.core.mail import EmailMultiAlternatives

from kellexa_portal.mail import body
from kellexa_portal.mail.models import OutboxMail


class OutboundMessage(EmailMultiAlternatives):
    """A message of the outbox, for any of Django's mail backends.

    ``before_handover`` is called once, at the last moment at which not sending is still possible; whatever
    it raises stops the delivery. A backend that calls it itself has ``calls_before_handover``.
    """

    before_handover: Callable[[], None]

    def message(self, **options: Any) -> Any:
        """The MIME message, its boundary drawn from the Message-ID instead of from chance."""
        message = super().message(**options)
        message_id = self.extra_headers["Message-ID"]
        message.set_boundary("=_" + hashlib.sha256(message_id.encode()).hexdigest()[:40])
        return message


def build(mail: OutboxMail, *, before_handover: Callable[[], None]) -> OutboundMessage:
    """The message of ``mail``; raises what ``body.of`` raises."""
    rendered = body.of(mail)
    headers = dict(mail.headers)
    sender = headers.pop("From")
    message = OutboundMessage(
        subject=mail.subject,
        body=rendered.text,
        from_email=sender,
        to=[mail.recipient],
        headers={**headers, "Message-ID": mail.message_id},
    )
    message.attach_alternative(rendered.html, "text/html")
    message.before_handover = before_handover
    return message

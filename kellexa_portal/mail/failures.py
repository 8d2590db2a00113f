"""What a failed delivery means: try again, or never."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass

from kellexa_portal.mail.models import MAX_ERROR
from kellexa_portal.redaction import redact

_PERMANENT = range(500, 600)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a mail was not sent; ``reason`` is short and stable, ``detail`` is redacted and for people."""

    is_permanent: bool
    reason: str
    detail: str


def judge(error: Exception) -> Failure:
    """What ``error`` means for the mail at hand.

    Only a refusal of this recipient or of this content is final (RFC 5321, 4.2.1). A refused password,
    sender or connection is our own trouble or the server's, also with a 5xx code: to give up then would
    lose every mail of the hour.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, reply = next(iter(error.recipients.values()))
        return _answered(code, reply, is_final=True)
    if isinstance(error, smtplib.SMTPResponseException):
        is_final = isinstance(error, smtplib.SMTPDataError)
        return _answered(error.smtp_code, error.smtp_error, is_final=is_final)
    name = type(error).__name__
    return Failure(is_permanent=False, reason=name, detail=_shown(f"{name}: {error}"))


def _answered(code: int, reply: bytes | str, *, is_final: bool) -> Failure:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return Failure(
        is_permanent=is_final and code in _PERMANENT, reason=f"smtp_{code}", detail=_shown(f"{code} {text}")
    )


def _shown(text: str) -> str:
    """A server's answer on one line, without secrets: servers like to quote what they refuse."""
    return redact(" ".join(text.replace("\0", "").split()))[:MAX_ERROR]

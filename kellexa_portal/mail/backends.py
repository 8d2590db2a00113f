"""Django mail backends of the outbox, both with the last moment before the handover marked (ADR 0006)."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import smtplib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

_START_MAIL_INPUT = 354  # RFC 5321, 4.2.3
_LINE_START_DOT = re.compile(rb"^\.", re.MULTILINE)


def _before_handover(message: EmailMessage) -> Callable[[], None]:
    """The message's hook; other senders of Django's, such as error reports, have none."""
    hook: Callable[[], None] = getattr(message, "before_handover", lambda: None)
    return hook


class FileBackend(BaseEmailBackend):
    """Writes each mail as one ``.eml`` file in ``MAIL_DIRECTORY``: exactly once, whatever dies when.

    The name comes from the Message-ID alone and the file appears whole, by a rename; a second delivery of
    a mail puts the same bytes in the same place.
    """

    calls_before_handover = True
    patience = timedelta(seconds=30)

    _ABANDONED_SECONDS = 3600

    def __init__(self, fail_silently: bool = False, **kwargs: Any) -> None:
        super().__init__(fail_silently=fail_silently)
        self.directory = Path(settings.MAIL_DIRECTORY)

    def open(self) -> bool:
        """Makes the directory, readable by its owner only, and removes what a killed writer left."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for leftover in self.directory.glob(".*.tmp"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - leftover.stat().st_mtime > self._ABANDONED_SECONDS:
                    leftover.unlink()
        return True

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Writes every message; raises ``OSError`` when the disk refuses one."""
        for message in email_messages:
            self._write(message)
        return len(email_messages)

    def _write(self, message: EmailMessage) -> None:
        mime: Any = message.message()
        descriptor, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=self.directory)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(mime.as_bytes(linesep="\r\n"))
                file.flush()
                os.fsync(file.fileno())
            _before_handover(message)()
            Path(name).replace(self.directory / file_name(mime["Message-ID"]))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        self._keep_entry()

    def _keep_entry(self) -> None:
        """Makes the rename itself survive a power cut."""
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def file_name(message_id: str) -> str:
    """The file of the mail with this Message-ID; hashed, so that no id can name another path."""
    return hashlib.sha256(message_id.strip().encode()).hexdigest()[:40] + ".eml"


class _FencedSMTP(smtplib.SMTP):
    """SMTP that stops before the final dot and asks once more whether to send.

    Up to the dot a server must throw the mail away when the connection ends (RFC 5321, 4.1.1.10), so all
    that comes before can be repeated without a second mail. Only between the dot and the server's answer
    is the fate of a mail unknown.
    """

    FINAL_SECONDS = 120.0

    before_dot: Callable[[], None]

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Like ``smtplib.SMTP.data``, with ``before_dot`` called when all but the end has been sent.

        The answer may take long while the server scans (RFC 5321, 4.5.3.2.6): to hang up on it early would
        send the mail again although it was taken.
        """
        self.putcmd("data")
        code, reply = self.getreply()
        if code != _START_MAIL_INPUT:
            raise smtplib.SMTPDataError(code, reply)
        try:
            self.send(_LINE_START_DOT.sub(b"..", msg if msg.endswith(b"\r\n") else msg + b"\r\n"))
            self.before_dot()
        except BaseException:
            self.close()
            raise
        with self._patience():
            self.send(b".\r\n")
            return self.getreply()

    @contextlib.contextmanager
    def _patience(self) -> Iterator[None]:
        """Waits ``FINAL_SECONDS`` for the server inside the block, and as before after it."""
        line = self.sock
        if line is None:
            raise smtplib.SMTPServerDisconnected("The server is gone.")
        usual = line.gettimeout()
        line.settimeout(self.FINAL_SECONDS)
        yield
        if self.sock is line:
            line.settimeout(usual)


class _FencedSMTPS(_FencedSMTP, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


class SmtpBackend(EmailBackend):
    """Django's SMTP backend with the handover fenced; one connection serves a whole batch."""

    calls_before_handover = True
    patience = timedelta(seconds=_FencedSMTP.FINAL_SECONDS + 30)

    connection: _FencedSMTP | None

    @property
    def connection_class(self) -> type[_FencedSMTP]:
        return _FencedSMTPS if self.use_ssl else _FencedSMTP

    def _send(self, email_message: EmailMessage) -> bool:
        if self.connection is None:
            return False
        self.connection.before_dot = _before_handover(email_message)
        return bool(super()._send(email_message))  # type: ignore[misc]  # Django's own seam for one message

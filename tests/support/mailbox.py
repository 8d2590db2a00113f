"""Reads the mail that a running portal wrote, as a person would: by address, subject and link."""

from __future__ import annotations

import email
import email.policy
import re
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import cast

URL = re.compile(r"https?://\S+")


class Mailbox:
    """The folder of ``.eml`` files of one portal."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, EmailMessage] = {}

    def all(self) -> list[EmailMessage]:
        """Every mail there is, oldest first; a file is read once, since the portal never changes one."""
        files = sorted(self._folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        for file in files:
            if file.name not in self._read:
                parsed = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
                self._read[file.name] = cast("EmailMessage", parsed)
        return [self._read[file.name] for file in files]

    def to(self, address: str) -> list[EmailMessage]:
        """The mails of one person."""
        return [mail for mail in self.all() if address.lower() in str(mail["To"]).lower()]

    def wait_for(
        self,
        address: str,
        matches: Callable[[EmailMessage], bool] = lambda mail: True,
        *,
        seconds: float = 30,
    ) -> EmailMessage:
        """The first mail to ``address`` that ``matches``, as soon as it is there."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for mail in self.to(address):
                if matches(mail):
                    return mail
            time.sleep(0.1)
        subjects = [str(mail["Subject"]) for mail in self.to(address)]
        raise AssertionError(f"no such mail to {address} within {seconds} s; there are {subjects}")


def text_of(mail: EmailMessage) -> str:
    """The text part."""
    part = mail.get_body(("plain",))
    assert part is not None
    return part.get_content()


def link_in(mail: EmailMessage) -> str:
    """The first address in the text part."""
    found = URL.search(text_of(mail))
    assert found, text_of(mail)
    return found.group(0)


def subject_has(words: str) -> Callable[[EmailMessage], bool]:
    """Matches mails whose subject holds ``words``."""
    return lambda mail: words.lower() in str(mail["Subject"]).lower()

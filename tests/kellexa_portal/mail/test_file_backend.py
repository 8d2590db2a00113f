"""The development mailbox's files: whole, private, one for each mail."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from kellexa_portal.mail.actions.delivery import deliver_due
from kellexa_portal.mail.backends import file_name
from kellexa_portal.mail.models import OutboxMail
from tests.kellexa_portal.mail.conftest import MAIL, Write

pytestmark = pytest.mark.django_db


def test_each_mail_becomes_one_file_named_after_its_message_id(write: Write, mailbox: Path) -> None:
    mails = [write(), write()]

    deliver_due(actor=MAIL)

    assert {path.name for path in mailbox.iterdir()} == {file_name(mail.message_id) for mail in mails}


def test_file_is_readable_by_its_owner_only(write: Write, mailbox: Path) -> None:
    write()

    deliver_due(actor=MAIL)

    [path] = mailbox.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_second_delivery_leaves_the_same_bytes_in_the_same_file(write: Write, mailbox: Path) -> None:
    mail = write()
    body = mail.body
    deliver_due(actor=MAIL)
    [path] = mailbox.iterdir()
    first = path.read_bytes()
    OutboxMail.objects.update(state="pending", body=body, sent_at=None)

    deliver_due(actor=MAIL)

    assert [found.read_bytes() for found in mailbox.iterdir()] == [first]


def test_full_disk_puts_the_mail_off(write: Write, mailbox: Path) -> None:
    mail = write()
    mailbox.write_text("a file where the folder should be")

    deliver_due(actor=MAIL)

    mail.refresh_from_db()
    assert mail.state == OutboxMail.State.PENDING
    assert mail.last_error.startswith("FileExistsError")


def test_leftovers_of_a_killed_writer_are_removed_after_an_hour(write: Write, mailbox: Path) -> None:
    mailbox.mkdir()
    old, fresh = mailbox / ".old.tmp", mailbox / ".fresh.tmp"
    old.touch()
    fresh.touch()
    hours_ago = time.time() - 2 * 3600
    os.utime(old, (hours_ago, hours_ago))
    write()

    deliver_due(actor=MAIL)

    assert not old.exists()
    assert fresh.exists()


@pytest.mark.parametrize("message_id", ["<../../etc/passwd@x>", "<a/b@x>", "<\x00@x>", f"<{'x' * 500}@x>"])
def test_no_message_id_names_another_path(message_id: str) -> None:
    name = file_name(message_id)

    assert Path(name).name == name
    assert len(name) == 44

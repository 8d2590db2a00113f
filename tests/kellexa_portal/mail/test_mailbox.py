"""The development mailbox's pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from kellexa_portal.mail.actions.delivery import deliver_due
from kellexa_portal.mail.backends import file_name
from tests.kellexa_portal.mail.conftest import LINK, MAIL, Write

pytestmark = pytest.mark.django_db


def test_empty_mailbox_says_how_to_get_a_mail(client: Client, mailbox: Path) -> None:
    page = client.get("/dev/mail/")

    assert page.status_code == 200
    assert "No mail yet" in page.content.decode()


def test_list_shows_each_mail_with_a_link(client: Client, write: Write, mailbox: Path) -> None:
    mail = write(to="ada@acme.example", subject="Confirm <now>")
    deliver_due(actor=MAIL)

    page = client.get("/dev/mail/").content.decode()

    assert "ada@acme.example" in page
    assert "Confirm &lt;now&gt;" in page
    assert f'href="/dev/mail/{file_name(mail.message_id)}/"' in page


def test_mail_page_shows_the_text_with_a_link_to_press(client: Client, write: Write, mailbox: Path) -> None:
    mail = write(context={"name": "<script>alert(1)</script>"})
    deliver_due(actor=MAIL)

    page = client.get(f"/dev/mail/{file_name(mail.message_id)}/").content.decode()

    assert f'href="{LINK.replace("&", "&amp;")}"' in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert mail.message_id.strip("<>") in page


def test_html_part_is_served_in_a_sandbox(client: Client, write: Write, mailbox: Path) -> None:
    mail = write()
    deliver_due(actor=MAIL)

    answer = client.get(f"/dev/mail/{file_name(mail.message_id)}/html/")

    assert answer.status_code == 200
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("sandbox;")
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_raw_mail_is_a_download(client: Client, write: Write, mailbox: Path) -> None:
    mail = write()
    deliver_due(actor=MAIL)
    name = file_name(mail.message_id)

    answer = client.get(f"/dev/mail/{name}/raw/")

    assert answer.content == (mailbox / name).read_bytes()
    assert answer["Content-Type"] == "message/rfc822"
    assert answer["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("page", ["", "html/", "raw/"])
@pytest.mark.parametrize(
    "name",
    [
        "..%2Foutside.eml",
        "%2E%2E%2Foutside.eml",
        "..%5Coutside.eml",
        "outside.eml",
        ".hidden.eml",
        "link.eml",
        "nothing.eml",
        "a%00.eml",
        "%0Aa.eml",
    ],
)
def test_no_name_leads_out_of_the_mailbox(client: Client, mailbox: Path, name: str, page: str) -> None:
    mailbox.mkdir()
    outside = mailbox.parent / "outside.eml"
    outside.write_text("Subject: not yours\n\nsecret")
    (mailbox / ".hidden.eml").write_text("Subject: hidden\n\nsecret")
    (mailbox / "link.eml").symlink_to(outside)

    answer = client.get(f"/dev/mail/{name}/{page}")

    assert answer.status_code in {400, 404}
    assert b"secret" not in answer.content


def test_file_that_is_no_mail_is_still_shown(client: Client, mailbox: Path) -> None:
    mailbox.mkdir()
    (mailbox / "odd.eml").write_bytes(b"\xff\xfe\x00 no header at all \x80")

    assert client.get("/dev/mail/").status_code == 200
    assert client.get("/dev/mail/odd.eml/").status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_mailbox_takes_no_writes(client: Client, mailbox: Path, method: str) -> None:
    assert getattr(client, method)("/dev/mail/").status_code == 405

"""The development mailbox: what was mailed, read from the files that the file backend writes."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control

from kellexa_portal.web import gates
from kellexa_portal.web.methods import require_safe

SHOWN = 200
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,200}\.eml")

# The sender's markup runs nothing, loads nothing and has no origin; the portal's own policy forbids frames,
# so it has a page to itself.
_SANDBOX = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Mail:
    """One file of the mailbox, as far as its pages show it."""

    name: str
    subject: str
    sender: str
    to: str
    message_id: str
    written_at: datetime
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str


@gates.public
@cache_control(no_store=True)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The newest mails first."""
    files = _files()
    mails = [_read(path) for path in files[:SHOWN]]
    return render(request, "dev/mail.html", {"mails": mails, "count": len(files)})


@gates.public
@cache_control(no_store=True)
@require_safe
def message(request: HttpRequest, name: str) -> HttpResponse:
    """One mail: its facts and its text, with links that work."""
    return render(request, "dev/mail_message.html", {"mail": _read(_file(name))})


@gates.public
@cache_control(no_store=True)
@require_safe
def html_part(request: HttpRequest, name: str) -> HttpResponse:
    """The HTML of one mail as the receiver sees it, in a sandbox."""
    mail = _read(_file(name))
    if not mail.html:
        raise Http404
    return HttpResponse(mail.html, headers={"Content-Security-Policy": _SANDBOX})


@gates.public
@cache_control(no_store=True)
@require_safe
def raw(request: HttpRequest, name: str) -> HttpResponse:
    """The file itself, to save; never shown by the browser, which might guess that it is a page."""
    path = _file(name)
    return HttpResponse(
        path.read_bytes(),
        content_type="message/rfc822",
        headers={"Content-Disposition": f'attachment; filename="{path.name}"'},
    )


def _files() -> list[Path]:
    """Every mail file, newest first; without links, which could lead out of the mailbox."""
    dated = []
    for path in Path(settings.MAIL_DIRECTORY).glob("*.eml"):
        if not _NAME.fullmatch(path.name) or path.is_symlink():
            continue
        try:
            dated.append((path.stat().st_mtime_ns, path))
        except FileNotFoundError:
            continue
    return [path for _time, path in sorted(dated, reverse=True)]


def _file(name: str) -> Path:
    """The mail file ``name``.

    It is picked from the listing, never joined to a path: no name reaches outside the mailbox (CWE-22).
    """
    for path in _files():
        if path.name == name:
            return path
    raise Http404


def _read(path: Path) -> Mail:
    parsed = email.message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=email.policy.default)
    return Mail(
        name=path.name,
        subject=str(parsed.get("Subject", "")) or _("(no subject)"),
        sender=str(parsed.get("From", "")),
        to=str(parsed.get("To", "")),
        message_id=str(parsed.get("Message-ID", "")),
        written_at=datetime.fromtimestamp(path.stat().st_mtime, tz=UTC),
        headers=tuple((header, str(value)) for header, value in parsed.items()),
        text=_part(parsed, "plain"),
        html=_part(parsed, "html"),
    )


def _part(parsed: EmailMessage, kind: str) -> str:
    part = parsed.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""

"""Pure decisions about mail: what may stand in a header, when to try again, when to stop."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.utils import parseaddr

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.encoding import punycode
from django.utils.translation import gettext_lazy as _

from kellexa_portal.core.errors import DomainError, Fault

MAX_ATTEMPTS = 12
LIFETIME = timedelta(hours=24)
RETENTION = timedelta(days=30)
FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=6)
JITTER = 0.2

MAX_ADDRESS = 254
MAX_SUBJECT = 200
MAX_HEADER = 900

# What a sender may add: a closed list, since a header such as Bcc or Content-Type changes who reads the
# mail, or how.
EXTRA_HEADERS = {
    name.lower(): name
    for name in (
        "Auto-Submitted",
        "In-Reply-To",
        "List-Id",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "References",
        "Reply-To",
    )
}

_is_address = EmailValidator()
_DOMAIN = re.compile(r"[a-z0-9.-]{1,253}")


class UnsafeHeaderError(DomainError):
    """A header that could start another one, or that senders may not set."""

    code = "mail.header_unsafe"
    fault = Fault.INVALID
    message = _("The mail's %(header)s holds something that a mail header may not hold.")


class InvalidRecipientError(DomainError):
    """Not one plain address."""

    code = "mail.recipient_invalid"
    fault = Fault.INVALID
    message = _("This is not a complete e-mail address.")


def header_text(name: str, value: str, *, limit: int = MAX_HEADER) -> str:
    """``value`` if it is safe in the header ``name``: one line, no control character, not over-long.

    Attack: a name or subject with a line break adds headers or a body of the attacker's choice (CWE-93).
    Unicode's line and paragraph separators are refused too, since some readers break lines at them.
    """
    if not value.strip() or len(value) > limit or any(_breaks_header(character) for character in value):
        raise UnsafeHeaderError(header=name)
    return value


def _breaks_header(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}


def recipient(address: str) -> str:
    """``address`` if it is exactly one bare mail address: no display name, no list, no control character."""
    if len(address) > MAX_ADDRESS:
        raise InvalidRecipientError
    try:
        _is_address(address)
        _ascii_address(address)
    except (ValidationError, ValueError) as error:
        raise InvalidRecipientError from error
    return address


def _ascii_address(address: str) -> str:
    local, _at, domain = address.rpartition("@")
    return Address(username=local.strip('"'), domain=punycode(domain)).addr_spec


def envelope_address(address: str) -> str:
    """``address`` as SMTP takes it: an international domain in its ASCII form (RFC 5890)."""
    return _ascii_address(parseaddr(address)[1])


def extra_headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    """The sender's own headers, spelled as the standards do; refuses names that are not on the list."""
    checked: dict[str, str] = {}
    for name, value in (headers or {}).items():
        known = EXTRA_HEADERS.get(name.lower())
        if known is None:
            raise UnsafeHeaderError(header=name)
        checked[known] = header_text(known, value)
    return checked


def message_id(dedupe_key: str, *, domain: str) -> str:
    """The Message-ID of the mail with this key: every try of one mail carries the same (RFC 5322, 3.6.4)."""
    digest = hashlib.sha256(dedupe_key.encode()).hexdigest()[:40]
    return f"<{digest}@{domain if _DOMAIN.fullmatch(domain) else 'localhost'}>"


def next_try_at(*, attempts: int, created_at: datetime, now: datetime, chance: float) -> datetime | None:
    """When to try again after ``attempts`` tries, or ``None`` to give up.

    Waits 30 s, then twice as long each time up to 6 h, give or take a fifth (``chance`` in [0, 1)), so that
    a recovered server isn't met by every waiting mail at once. Gives up after 12 tries or 24 h: by then the
    links in the mail have expired.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    wait = min(FIRST_DELAY * 2 ** max(attempts - 1, 0), LONGEST_DELAY)
    at = now + wait * (1 + JITTER * (2 * chance - 1))
    return at if at < created_at + LIFETIME else None

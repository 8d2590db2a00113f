"""What counts as a company's domain, as a provider's word, and as enforced; pure, ``now`` is given."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

ATTEMPT_LIFETIME = timedelta(minutes=10)
DOMAIN_RECHECK = timedelta(hours=24)
DOMAIN_GRACE = timedelta(days=7)
MAX_DOMAINS = 20
MAX_DOMAIN_LENGTH = 253
MAX_ISSUER = 300
MAX_CLIENT_ID = 200
MAX_CLIENT_SECRET = 500
MAX_SUBJECT = 255
MAX_ID_TOKEN = 16384
TOKEN_LEEWAY = timedelta(seconds=60)
TOKEN_MAX_AGE = timedelta(minutes=10)
STATE_BYTES = 32

RECORD_LABEL = "_kellexa-domain"
RECORD_PREFIX = "kellexa-domain-verification="

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])", re.ASCII)

FREE_MAIL = frozenset(
    [
        "126.com",
        "163.com",
        "aim.com",
        "aol.com",
        "comcast.net",
        "duck.com",
        "fastmail.com",
        "free.fr",
        "freenet.de",
        "gmail.com",
        "gmx.at",
        "gmx.ch",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hey.com",
        "hotmail.co.uk",
        "hotmail.com",
        "hotmail.fr",
        "hushmail.com",
        "icloud.com",
        "inbox.com",
        "laposte.net",
        "libero.it",
        "live.co.uk",
        "live.com",
        "mac.com",
        "mail.com",
        "mail.ru",
        "mailbox.org",
        "me.com",
        "msn.com",
        "naver.com",
        "orange.fr",
        "outlook.com",
        "pm.me",
        "posteo.de",
        "proton.me",
        "protonmail.com",
        "qq.com",
        "rambler.ru",
        "rediffmail.com",
        "rocketmail.com",
        "sina.com",
        "t-online.de",
        "tuta.com",
        "tutanota.com",
        "wanadoo.fr",
        "web.de",
        "wp.pl",
        "yahoo.co.jp",
        "yahoo.co.uk",
        "yahoo.com",
        "yahoo.de",
        "yahoo.fr",
        "yandex.com",
        "yandex.ru",
        "ymail.com",
        "zoho.com",
    ]
)
"""Where anybody gets an address: nobody's company, however the record got there."""


def clean_domain(text: str) -> str | None:
    """The domain that ``text`` names, in lower case, or ``None``; of letters, digits and hyphens alone.

    An international name is given as DNS knows it (``xn--``), so that look-alikes stand out.
    """
    domain = text.strip().rstrip(".").lower()
    if len(domain) > MAX_DOMAIN_LENGTH or not _DOMAIN.fullmatch(domain):
        return None
    return domain


def domain_of(email: str) -> str:
    """What stands behind the last ``@``, in lower case."""
    return email.rpartition("@")[2].lower()


def is_lapsed(missing_since: datetime | None, *, now: datetime) -> bool:
    """Whether a verified domain whose record is gone has been without it for too long."""
    return missing_since is not None and now - missing_since >= DOMAIN_GRACE


class FalseTokenError(Exception):
    """The provider's word does not hold; the text is a short code for the record."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider vouches for."""

    subject: str
    email: str
    name: str


def identity_in(
    claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str, now: datetime
) -> Identity:
    """The person in the claims of an ID token whose signature holds.

    Source: OpenID Connect Core 3.1.3.7. Raises ``FalseTokenError``.
    """
    _require(claims.get("iss") == issuer, "iss")
    _check_audience(claims, client_id)
    _check_times(claims, now)
    _require(isinstance(claims.get("nonce"), str) and claims["nonce"] == nonce, "nonce")
    subject, email = claims.get("sub"), claims.get("email")
    _require(isinstance(subject, str) and 0 < len(subject) <= MAX_SUBJECT and "\0" not in subject, "sub")
    _require(isinstance(email, str) and email.isascii() and email.count("@") == 1, "email")
    _require(claims.get("email_verified") is True, "email_verified")
    name = claims.get("name")
    return Identity(str(subject), str(email), name if isinstance(name, str) else "")


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    _require(isinstance(audiences, list) and client_id in audiences, "aud")
    party = claims.get("azp")
    _require(party == client_id if party is not None else len(audiences or []) == 1, "azp")


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    at, leeway = now.timestamp(), TOKEN_LEEWAY.total_seconds()
    expires, issued = _instant(claims, "exp"), _instant(claims, "iat")
    _require(at < expires + leeway, "exp")
    _require(issued - leeway <= at <= issued + TOKEN_MAX_AGE.total_seconds() + leeway, "iat")


def _instant(claims: Mapping[str, Any], name: str) -> float:
    """A plain finite number: readers of JSON take ``NaN``, which no comparison refuses, and endless ones."""
    value = claims.get(name)
    try:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        is_number = False
    if not is_number:
        raise FalseTokenError(name)
    return float(value)  # type: ignore[arg-type]  # a number, as was just seen


def _require(is_right: bool, code: str) -> None:
    if not is_right:
        raise FalseTokenError(code)

"""The format of API keys: what can be said of a token without asking anybody.

``klxp_`` or ``klxs_`` (personal, service), ``live_`` or ``test_``, 14 base62 characters of id, 43 of
secret (256 bits), 6 of CRC-32 over all that precedes: 73 characters that a double click selects whole.
The checksum is GitHub's (2021): CRC-32, base62 with digits, capitals, small letters, padded with zeros.
It lets scanners and gateways drop look-alikes without I/O; it proves nothing. Nor does the prefix: what
a key may do stands in its row.
"""

from __future__ import annotations

import re
import secrets
import zlib
from dataclasses import dataclass, field

from kellexa_portal.core.ids import BASE62, base62

ID_LENGTH = 14
SECRET_BYTES = 32
SECRET_LENGTH = 43
CHECKSUM_LENGTH = 6
TOKEN_LENGTH = 73

PREFIXES = {"personal": "klxp", "service": "klxs"}
KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}
ENVIRONMENTS = ("live", "test")

#: Published on the help page and as a gitleaks rule.
PUBLISHED_REGEX = r"\bklx[ps]_(?:live|test)_[0-9A-Za-z]{63}\b"

_SHAPE = re.compile(r"(klx[ps])_(live|test)_([0-9A-Za-z]{14})([0-9A-Za-z]{43})([0-9A-Za-z]{6})")


@dataclass(frozen=True, slots=True)
class ParsedToken:
    """A token whose shape and checksum are right; whether it is a key, only its row can say."""

    kind: str
    environment: str
    key_id: str
    text: str = field(repr=False)


def encode_base62(number: int, *, length: int) -> str:
    """``number`` in base62, padded with zeros to ``length``; raises ``ValueError`` if it doesn't fit."""
    if number < 0:
        raise ValueError("negative")
    digits = []
    while number:
        number, rest = divmod(number, 62)
        digits.append(BASE62[rest])
    if len(digits) > length:
        raise ValueError("does not fit")
    return "".join(reversed(digits)).rjust(length, BASE62[0])


def checksum(text: str) -> str:
    """The six characters that end a token which begins with ``text``."""
    return encode_base62(zlib.crc32(text.encode("ascii")), length=CHECKSUM_LENGTH)


def new_id() -> str:
    """A public id for a key: 83 random bits, so that ids can't be found by trying."""
    return base62(ID_LENGTH)


def new_token(*, kind: str, environment: str, key_id: str) -> str:
    """A fresh token with 256 random bits for the key ``key_id``."""
    if environment not in ENVIRONMENTS or len(key_id) != ID_LENGTH:
        raise ValueError("unknown environment or malformed id")
    secret = encode_base62(int.from_bytes(secrets.token_bytes(SECRET_BYTES)), length=SECRET_LENGTH)
    body = f"{PREFIXES[kind]}_{environment}_{key_id}{secret}"
    return body + checksum(body)


def parse(text: str) -> ParsedToken | None:
    """The parts of ``text``, or ``None`` unless it is exactly a token with a right checksum; no I/O."""
    if len(text) != TOKEN_LENGTH:
        return None
    match = _SHAPE.fullmatch(text)
    if match is None or checksum(text[:-CHECKSUM_LENGTH]) != match[5]:
        return None
    return ParsedToken(kind=KINDS[match[1]], environment=match[2], key_id=match[3], text=text)


def display(*, kind: str, environment: str, key_id: str, last4: str) -> str:
    """How lists and mails show a key: enough to recognise it, useless to anyone who reads it."""
    return f"{PREFIXES[kind]}_{environment}_{key_id[:4]}…{last4}"

"""Secrets by shape and by exact value, in linear time (RE2): a hostile text cannot stall a log line.

The text is matched as UTF-8 bytes, so that lone surrogates and NUL pass through like anything else.
A replacement keeps quotes and names around the secret: JSON stays JSON, and a person still sees what
kind of secret stood there.
"""

from __future__ import annotations

import uuid
from functools import lru_cache
from typing import Any

import re2
from django.conf import settings

REDACTED = "[redacted]"

_MARK = REDACTED.encode()

NAMES = (
    r"(?:pass(?:word|wd|phrase|code)|secret|token|api_?-?key|auth_?key|private_?-?key|signing_?-?key|authorization"
    r"|cookie|session_?(?:id|key)|csrf[a-z]*|recovery_?code|backup_?code|credential|totp|otp|seed|keyring|pepper)s?"
)
_NAME = rf"[\w.-]*{NAMES}(?:_?(?:[0-9]+|value|hash))?"
_SEPARATOR = r"\s*(?:=>|=|:|%3[Dd]|%3[Aa])\s*"
_QUOTED = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_ITEM = rf"b?{_QUOTED}\s*,?\s*"
_REST = r"""[^\s"'&,;{}\[\]()<>\\]+"""
_BARE = rf"(?:\[redacted\]|\[?{_REST})"

_HEADER = r"""(?:authorization|(?:set-)?cookie)\\?["']?\s*[:=]\s*(?:b?\\?["'])?"""
_HEADER_VALUE = r"""(?:\[[^"']|[^\s"'\\\[]|\\[^"'])(?:[^\r\n"'\\]|\\.)*"""

_AFTER_NAME = rb"\1" + _MARK


def _keep_words(match: Any) -> bytes:
    """Leaves ids and names in a path alone: a UUID, a word in snake or kebab case."""
    segment: bytes = match.group(2)
    text = segment.decode()
    try:
        uuid.UUID(text)
    except ValueError:
        is_mixed = text.lower() != text != text.upper()
        if is_mixed or sum(character.isdigit() for character in text) > 4:  # words have few digits
            return bytes(match.group(1)) + _MARK
    return bytes(match.group(0))


_RULES: tuple[tuple[str, bytes], ...] = (
    # A private key, whole or cut off.
    (r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)", _MARK),
    (r"(?i)(otpauth(?:-migration)?://)[^\s\"'<>]+", _AFTER_NAME),
    # Our tokens: the public id (14 characters) stays, for whoever has to find the key.
    (r"(klx[ps]_(?:live|test)_[0-9A-Za-z]{14})[0-9A-Za-z]+", _AFTER_NAME),
    (r"(whsec_)[0-9A-Za-z+/=_-]{8,}", _AFTER_NAME),
    # Headers, in a dump, a dict or a list of pairs.
    (rf"(?i)({_HEADER}){_HEADER_VALUE}", _AFTER_NAME),
    (r"(?i)\b((?:bearer|basic|digest)\s+)[0-9A-Za-z._~+/=-]{16,}", _AFTER_NAME),
    (
        r"""(?i)\b((?:__Host-|__Secure-)?(?:session|csrf)\\?["']?\s*[=:]\s*\\?["']?)[0-9A-Za-z]{20,}""",
        _AFTER_NAME,
    ),
    # The password in an address: scheme://user:password@host.
    (r"([A-Za-z][A-Za-z0-9+.-]*://[^\s:/@\"']*:)[^\s/@\"']+@", _AFTER_NAME + b"@"),
    # What PostgreSQL quotes of a row that it refused.
    (r"""(?s)(Failing row contains \().*?(\)\.(?:\s|\\n|["']|\z)|\z)""", _AFTER_NAME + rb"\2"),
    (
        r"(?s)(Key \([^\n]*?\)=\().*?(\) (?:already exists|is not|is still|conflicts)|\z)",
        _AFTER_NAME + rb"\2",
    ),
    # A form field in a multipart body.
    (rf"""(?i)(name="{_NAME}"[^\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n)[^\r\n]+""", _AFTER_NAME),
    # name=value in all its spellings; a list of values is emptied whole.
    (
        rf"""(?i)({_NAME}["']?{_SEPARATOR}[\[(]b?")(?:[^"\\]|\\.)*"\s*,?\s*(?:{_ITEM})*""",
        _AFTER_NAME + b'"',
    ),
    (
        rf"""(?i)({_NAME}["']?{_SEPARATOR}[\[(]b?')(?:[^'\\]|\\.)*'\s*,?\s*(?:{_ITEM})*""",
        _AFTER_NAME + b"'",
    ),
    (rf"""(?i)({_NAME}\\*["']?{_SEPARATOR}\\+["'])[^"'\\]+""", _AFTER_NAME),
    (rf"""(?i)({_NAME}["']?{_SEPARATOR}b?")(?:[^"\\]|\\.)+""", _AFTER_NAME),
    (rf"""(?i)({_NAME}["']?{_SEPARATOR}b?')(?:[^'\\]|\\.)+""", _AFTER_NAME),
    (rf"""(?i)({_NAME}["']?{_SEPARATOR}){_BARE}""", _AFTER_NAME),
    (rf"""(?i)(["']{_NAME}["']\s*,\s*b?")(?:[^"\\]|\\.)+""", _AFTER_NAME),
    (rf"""(?i)(["']{_NAME}["']\s*,\s*b?')(?:[^'\\]|\\.)+""", _AFTER_NAME),
    (r"""(?i)(\bcode\\?["']?\s*[=:]\s*\[?\s*\\?["']?)[0-9]{6,8}\b""", _AFTER_NAME),
)

# The token of a mailed link. Apart from the rest, because every path with an id in it is a candidate.
_LINK = re2.compile(rb"(/)([0-9A-Za-z_-]{32,})")
_COMPILED = tuple((re2.compile(pattern.encode()), replacement) for pattern, replacement in _RULES)
_ANY = re2.compile("|".join(f"(?:{pattern})" for pattern, _ in _RULES).encode())


@lru_cache(maxsize=4)
def _exact(secrets: tuple[str, ...]) -> Any:
    longest_first = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
    if not longest_first:
        return None
    return re2.compile(b"|".join(re2.escape(secret.encode()) for secret in longest_first))


def _configured() -> tuple[str, ...]:
    return tuple(getattr(settings, "SECRET_VALUES", ())) if settings.configured else ()


def redact(text: str) -> str:
    """``text`` with every recognised secret replaced; safe to apply twice."""
    data: bytes = text.encode("utf-8", "surrogatepass")
    exact = _exact(_configured())
    if exact is not None:
        data = exact.sub(_MARK, data)
    if _ANY.search(data):
        for pattern, replacement in _COMPILED:
            data = pattern.sub(replacement, data)
    data = _LINK.sub(_keep_words, data)
    return data.decode("utf-8", "surrogatepass")

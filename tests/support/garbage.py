"""What a careless program or an attacker sends: bodies, queries and headers that no page of ours makes."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from django.conf import settings
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

FORM = "application/x-www-form-urlencoded"
LONG = "x" * 100_000
NONSENSE = "'\"><script>alert(1)</script>{{7*7}}${7*7}%s%n ../../etc/passwd \u202e\U0001f4a5 -1e999"
NUMBERS = ["9" * 40, "-1", "NaN", "1e9999", "٣", "0x10", ""]
QUERY = ("q", "state", "kind", "environment", "owner", "cursor", "next", "page", "p", "o", "e", "all")


def _urlencoded(fields: tuple[str, ...], value: str) -> bytes:
    return urlencode(dict.fromkeys(fields, value)).encode()


def _multipart(fields: tuple[str, ...], value: str) -> bytes:
    return encode_multipart(BOUNDARY, dict.fromkeys(fields, value))


def _raw_multipart(fields: tuple[str, ...], value: bytes) -> bytes:
    return _multipart(fields, "PLACE").replace(b"PLACE", value)


def posts(fields: tuple[str, ...]) -> dict[str, tuple[bytes, str]]:
    """Bodies with their content types: each is a way in which a form may come broken."""
    twice = "&".join(f"{name}=a&{name}=b&{name}[]=c&{name}[0][x]=d" for name in fields)
    return {
        "nothing": (b"", FORM),
        "over-long": (_urlencoded(fields, LONG), FORM),
        "nonsense": (_urlencoded(fields, NONSENSE), FORM),
        "repeated and arrays": (twice.encode(), FORM),
        "too many fields": (b"&".join(b"a%d=1" % number for number in range(500)), FORM),
        "too large": (b"a=" + b"x" * 1_200_000, FORM),
        "NUL": (_urlencoded(fields, "a\x00b"), FORM),
        "not UTF-8": (b"&".join(name.encode() + b"=%ff%fe" for name in fields), FORM),
        "lone surrogate": (b"&".join(name.encode() + b"=%ed%a0%80" for name in fields), FORM),
        "JSON": (json.dumps({name: ["x"] for name in fields}).encode(), "application/json"),
        "plain text": (b"\x00\xff", "text/plain"),
        "no type": (b"a=b", ""),
        "unknown charset": (_urlencoded(fields, "x"), f"{FORM}; charset=nonsense"),
        "charset that is no text": (_urlencoded(fields, "x"), f"{FORM}; charset=zlib"),
        "multipart": (_multipart(fields, NONSENSE), MULTIPART_CONTENT),
        "multipart with NUL": (_multipart(fields, "a\x00b"), MULTIPART_CONTENT),
        "multipart, not UTF-8": (_raw_multipart(fields, b"\xff\xfe"), MULTIPART_CONTENT),
        "multipart in no text": (_multipart(fields, "x"), f"{MULTIPART_CONTENT}; charset=zlib"),
        "multipart without boundary": (b"x", "multipart/form-data"),
        "multipart cut off": (_multipart(fields, "x")[:40], MULTIPART_CONTENT),
        "a file for a field": (
            _multipart(fields, "x").replace(b'"\r\n', b'"; filename="x.txt"\r\n'),
            MULTIPART_CONTENT,
        ),
    } | {f"number {number!r}": (_urlencoded(fields, number), FORM) for number in NUMBERS}


# Of these what was typed can't be known.
UNREADABLE = {
    "NUL",
    "not UTF-8",
    "lone surrogate",
    "charset that is no text",
    "multipart with NUL",
    "multipart, not UTF-8",
    "multipart in no text",
}

QUERIES = {
    "over-long": urlencode(dict.fromkeys(QUERY, "x" * 5_000)),
    "nonsense": urlencode(dict.fromkeys(QUERY, NONSENSE)),
    "repeated and arrays": "&".join(f"{name}=a&{name}=b&{name}[]=c" for name in QUERY),
    "too many fields": "&".join(f"a{number}=1" for number in range(500)),
    "NUL": urlencode(dict.fromkeys(QUERY, "a\x00b")),
    "not UTF-8": "&".join(f"{name}=%ff" for name in QUERY),
    "broken percent": "q=%&cursor=%zz&next=%u0041",
    **{f"number {number!r}": urlencode(dict.fromkeys(QUERY, number)) for number in NUMBERS},
}
HEADERS = {
    "a session that is no text": {"cookie": f'{settings.SESSION_COOKIE_NAME}="\\000aaaaaaaaaaaa"'},
    "an over-long session": {"cookie": f"{settings.SESSION_COOKIE_NAME}={'x' * 5_000}"},
    "cookies of nonsense": {"cookie": 'theme="\\377\\000"; csrf=\xff; messages=x; a; =; ;;'},
    "a charset that is no text": {"content-type": "text/html; charset=zlib"},
    "a language of nonsense": {"accept-language": "x" * 3_000 + ",*;q=9,\x00"},
    "agent of nonsense": {"user-agent": "\xff\x00" * 500},
    "forwarded from nowhere": {"x-forwarded-for": "999.1.1.1, ::zz, \x00"},
    "an htmx request": {"hx-request": "true", "hx-current-url": "http://[", "hx-trigger": "\xff"},
}

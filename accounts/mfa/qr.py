"""The enrolment address as a picture, drawn as plain SVG path data: no inline style, no outside service."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote, urlencode

import segno

from accounts.mfa import rules

ISSUER = "Kellexa"
QUIET_ZONE = 4


@dataclass(frozen=True, slots=True)
class QrCode:
    """A square of ``size`` modules and the path that strokes its dark runs."""

    size: int
    path: str

    def __repr__(self) -> str:
        return f"QrCode(size={self.size})"


def address_of(*, key: str, email: str) -> str:
    """The ``otpauth://`` address that authenticator apps read."""
    label = quote(f"{ISSUER}:{email}", safe=":")
    query = urlencode(
        {
            "secret": key.replace(" ", ""),
            "issuer": ISSUER,
            "algorithm": "SHA1",
            "digits": rules.DIGITS,
            "period": rules.STEP_SECONDS,
        }
    )
    return f"otpauth://totp/{label}?{query}"


def draw(text: str) -> QrCode:
    """``text`` as a QR code with medium error correction and the quiet zone that scanners need."""
    rows = list(segno.make_qr(text, error="m").matrix_iter(border=QUIET_ZONE))
    parts: list[str] = []
    for y, row in enumerate(rows):
        x = 0
        for is_dark, run in groupby(bool(module) for module in row):
            width = len(list(run))
            if is_dark:
                parts.append(f"M{x} {y}.5h{width}")
            x += width
    return QrCode(len(rows), "".join(parts))

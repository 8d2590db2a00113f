"""Secrets to plant, and the search for them."""

from __future__ import annotations

import base64

TOKEN = "klxp_live_" + "4fQ8aZ0mN2cR7x" + "Vb3Kp9Ws1Lt6Yd5Hg2Jf8Qe4Uo7Ci0Mz3Xn6Ra9SvB7" + "0kT4Pq"
WEBHOOK = "whsec_" + base64.b64encode(bytes(range(40, 72))).decode()
PASSWORD = "correct-horse-battery-staple"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DP"
OTPAUTH = f"otpauth://totp/Kellexa:ada@acme.example?secret={SEED}&issuer=Kellexa"
COOKIE = "x7k2m9q4w8e1r5t3y6u0i2o4p8a1s5d9"
PEM_BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7"
PEM = f"-----BEGIN PRIVATE KEY-----\n{PEM_BODY}\n-----END PRIVATE KEY-----"

NEEDLES = (TOKEN[24:], WEBHOOK[6:], PASSWORD, SEED, COOKIE, PEM_BODY)
"""What must not be found anywhere: of each secret the part that is secret."""


def leaks(text: str) -> list[str]:
    """The planted secrets that ``text`` still shows."""
    return [needle for needle in NEEDLES if needle in text]

"""Codes as arithmetic: which spelling counts, which step a code belongs to, what a recovery code is. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django_otp.oath import TOTP, hotp

SEED_BYTES = 20
STEP_SECONDS = 30
DIGITS = 6
MAX_DRIFT_STEPS = 10
REPLACEMENT_LIFETIME = timedelta(minutes=10)
RESYNC_LIFETIME = timedelta(minutes=3)

RECOVERY_CODES = 10
RECOVERY_CODES_FEW = 3
RECOVERY_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RECOVERY_LENGTH = 25
RECOVERY_GROUP = 5

WRONG_CODES_BEFORE_MAIL = 3

_CODE = re.compile(r"[0-9]{6}", re.ASCII)
_RECOVERY = re.compile(rf"[{RECOVERY_ALPHABET}]{{{RECOVERY_LENGTH}}}", re.ASCII)
_LOOKALIKES = str.maketrans("OIL", "011")


def new_seed() -> bytes:
    """160 random bits, as RFC 4226 section 4 recommends."""
    return secrets.token_bytes(SEED_BYTES)


def canonical_code(text: str) -> str | None:
    """The six ASCII digits of ``text`` without its spaces, or ``None``.

    An app shows ``123 456`` and people paste it so. Every spelling becomes the same six digits before
    anything is compared or counted; full-width digits, signs and all else are refused, so that no second
    spelling of a used code exists (attack case 8).
    """
    code = text.replace(" ", "")
    return code if _CODE.fullmatch(code) else None


def step_at(now: datetime, *, drift: int = 0) -> int:
    """The number of the half-minute at ``now`` for an authenticator that is ``drift`` steps ahead."""
    totp = TOTP(b"", step=STEP_SECONDS, digits=DIGITS, drift=drift)
    totp.time = now.timestamp()
    return int(totp.t())


def code_at(seed: bytes, step: int) -> str:
    """The code of RFC 6238 for one step."""
    return f"{hotp(seed, step, digits=DIGITS):0{DIGITS}d}"


def is_code_of(seed: bytes, code: str, step: int) -> bool:
    """Whether ``code`` is the one of ``step``, in constant time."""
    return hmac.compare_digest(code_at(seed, step), code)


@dataclass(frozen=True, slots=True)
class Reading:
    """The step whose code was typed, and how far the authenticator's clock seems to be from ours."""

    step: int
    drift: int


def read(seed: bytes, code: str, *, now: datetime) -> Reading | None:
    """The step near now that ``code`` belongs to, the present one first. For enrolment only."""
    present = step_at(now)
    for drift in sorted(range(-MAX_DRIFT_STEPS, MAX_DRIFT_STEPS + 1), key=abs):
        if present + drift >= 0 and is_code_of(seed, code, present + drift):
            return Reading(present + drift, drift)
    return None


def is_calibrated(reading: Reading, *, former: Reading | None) -> bool:
    """Whether the clock's drift is now certain.

    A code of the present step proves a true clock. One of another step may come from a slow typist as
    well as from a wrong clock, so a drift counts only when a later code shows the same one again; else a
    late code would be demanded at every sign-in for ever.
    """
    if reading.drift == 0:
        return True
    return former is not None and former.drift == reading.drift and former.step < reading.step


def confirms(reading: Reading, *, first: Reading) -> bool:
    """Whether ``reading`` is the code right after ``first``, typed with the same distance from our clock.

    Two codes in a row are what a re-sync asks for. The same distance twice is the clock's; another one was
    the typist's, and would set the clock wrong by it.
    """
    return reading.step == first.step + 1 and reading.drift == first.drift


def new_recovery_code() -> str:
    """25 characters of Crockford's base 32, 125 random bits, written in groups of five."""
    code = "".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_LENGTH))
    return "-".join(code[at : at + RECOVERY_GROUP] for at in range(0, RECOVERY_LENGTH, RECOVERY_GROUP))


def canonical_recovery_code(text: str) -> str | None:
    """The 25 characters meant by ``text``, or ``None``: case, spaces, hyphens, O, I and L are forgiven.

    The alphabet holds none of the letters that are forgiven, so each spelling still means one code.
    """
    code = text.replace(" ", "").replace("-", "")
    if not code.isascii():
        return None
    code = code.upper().translate(_LOOKALIKES)
    return code if _RECOVERY.fullmatch(code) else None


def recovery_digest(canonical: str) -> bytes:
    """SHA-256 of a canonical code; 125 random bits need no slow hash (ASVS 6.5.2 asks it below 112)."""
    return hashlib.sha256(canonical.encode("ascii")).digest()


MAX_PASSKEYS = 20
MAX_PASSKEY_NAME = 60
MAX_OPEN_CHALLENGES = 8


def counts_on(shown: int, *, stored: int) -> bool:
    """Whether a passkey's counter moved on. One that never counts stays at zero, as synced passkeys do."""
    return shown > stored or (shown == 0 and stored == 0)


def may_remove_factor(*, apps: int, passkeys: int) -> bool:
    """Whether one of the person's factors may go: one has to stay, or a password alone would be enough."""
    return apps + passkeys > 1

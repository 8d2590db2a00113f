"""What a password must be, and whether one is right. All rules of NIST SP 800-63B and ASVS 6.2 in one place.

15 to 256 characters of any script, no composition rules, not on a list of common long passwords, without
words from its context, and hard to guess by zxcvbn's estimate. The text is normalised once (NFKC, as
NIST advises) so that it is the same from every keyboard; nothing else is changed or cut.
"""

from __future__ import annotations

import gzip
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.contrib.auth import hashers
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from zxcvbn import zxcvbn
from zxcvbn.matching import L33T_TABLE

from accounts.identity.models import User

MIN_LENGTH = 15
MAX_LENGTH = 256
MIN_SCORE = 3
ESTIMATED_LENGTH = 72
MAX_AMBIGUOUS = 8
MIN_CONTEXT_WORD = 4
MAX_TAIL = 8
SERVICE_WORDS = ("kellexa",)

COMMON_LIST = Path(__file__).parent / "data" / "common_passwords.txt.gz"

_LEET = str.maketrans("4@83(69!1|07$5+2", "aabecggiilotsstz")
_TAIL = re.compile(r"[\W\d_]+$")
_WORDS = re.compile(r"[^\W\d_]+")

# What makes a password weak, by the pattern that zxcvbn finds in most of it. Whole sentences of the portal's
# own, since zxcvbn's advice comes in pieces and in English only.
_WEAKNESSES = {
    "dictionary": _(
        "This is too easy to guess: words, names or passwords that many people use make up most of it. "
        "Add uncommon words that have nothing to do with them."
    ),
    "spatial": _(
        "This is too easy to guess: it follows the keys of a keyboard. Use a few unrelated words instead."
    ),
    "repeat": _(
        "This is too easy to guess: it repeats the same thing. Use a few unrelated words, each of them once."
    ),
    "sequence": _(
        "This is too easy to guess: it goes on as “abc” or “6543” do. Use a few unrelated words instead."
    ),
    "date": _(
        "This is too easy to guess: a date makes up most of it. "
        "Add a few words that have nothing to do with it."
    ),
}
_WEAK = _("This is too easy to guess. Use a few unrelated words, and rather uncommon ones.")


@dataclass(frozen=True, slots=True)
class About:
    """What an attacker knows of the person: none of it may stand in the password."""

    email: str = ""
    name: str = ""
    organization_name: str = ""

    def words(self) -> Iterator[str]:
        """Words of at least four letters; of the address, the local part and the host but not its ending."""
        local, _at, host = self.email.rpartition("@")
        for text in (self.name, self.organization_name, local, host.rpartition(".")[0]):
            for word in _WORDS.findall(text.casefold()):
                if len(word) >= MIN_CONTEXT_WORD:
                    yield word


def normalise(password: str) -> str:
    """The one form in which a password is checked and hashed (NFKC; NIST SP 800-63B-4, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def validate(password: str, about: About) -> None:
    """Raises ``ValidationError`` with a reason that a person can act on, unless ``password`` is good."""
    text = normalise(password)
    _check_length(text)
    _check_context(text, about)
    if is_common(text):
        raise ValidationError(
            _("Many people use this password, so it is guessed first. Choose one of your own."),
            code="password_common",
        )
    _check_strength(text, about)


def is_common(password: str) -> bool:
    """Whether the shipped list holds it, whatever its case, separators, look-alike digits or ending."""
    return any(form in _common() for form in _forms(password))


def make(password: str) -> str:
    """The hash to store: Argon2id with the parameters of the settings."""
    return hashers.make_password(normalise(password))


def matches(password: str, hashed: str) -> bool:
    """Whether ``password`` made ``hashed``; one that is too long is refused before it costs a hash."""
    return len(password) <= MAX_LENGTH and hashers.check_password(normalise(password), hashed)


def proves(user: User | None, password: str) -> bool:
    """Whether ``password`` is the one of ``user`` and the account may sign in.

    Costs one hash whoever is asked for: an address without an account, a wrong password and an inactive
    account take the same time (ASVS 6.3.8, attack case 30). An old hash is upgraded when it matches, and
    only if it is still the stored one, so that a change of password under way is never undone.
    """
    if len(password) > MAX_LENGTH:
        return False
    if user is None:
        make(password)
        return False
    stored = user.password

    def upgrade(raw: str) -> None:
        renewed = hashers.make_password(raw)
        if User.objects.filter(pk=user.pk, password=stored).update(password=renewed):
            user.password = renewed

    return hashers.check_password(normalise(password), stored, setter=upgrade) and user.is_active


def _check_length(text: str) -> None:
    if len(text) < MIN_LENGTH:
        raise ValidationError(
            _("Use at least %(min)d characters (this has %(count)d). Unrelated words are easy to remember."),
            code="password_too_short",
            params={"min": MIN_LENGTH, "count": len(text)},
        )
    if len(text) > MAX_LENGTH:
        raise ValidationError(
            _("Use at most %(max)d characters."), code="password_too_long", params={"max": MAX_LENGTH}
        )


def _check_context(text: str, about: About) -> None:
    forms = (text.casefold(), _plain(text))
    for word in (*SERVICE_WORDS, *about.words()):
        if any(word in form for form in forms):
            raise ValidationError(
                _("Leave out “%(word)s”: who knows you or your organization guesses it first."),
                code="password_context",
                params={"word": word},
            )


def _check_strength(text: str, about: About) -> None:
    result = zxcvbn(_estimable(text), user_inputs=[*SERVICE_WORDS, *about.words()])
    if result["score"] >= MIN_SCORE:
        return
    longest = max(result["sequence"], key=lambda part: len(part["token"]))
    raise ValidationError(_WEAKNESSES.get(longest["pattern"], _WEAK), code="password_weak")


def _estimable(text: str) -> str:
    """What zxcvbn may see: 72 characters, with few look-alikes, since it tries all their readings.

    Attack: 20 different look-alike signs in one field kept a worker busy for 5 s (measured); they are read
    as letters instead, which can only lower the estimate.
    """
    cut = text[:ESTIMATED_LENGTH]
    signs = {sign for readings in L33T_TABLE.values() for sign in readings}
    return cut.translate(_LEET) if len(signs & set(cut)) > MAX_AMBIGUOUS else cut


def _plain(text: str) -> str:
    """Lower case, look-alike signs as letters, and nothing but letters and digits."""
    return "".join(filter(str.isalnum, text.casefold().translate(_LEET)))


def _forms(password: str) -> Iterator[str]:
    """The password plain, and without each ending of up to eight signs or digits, as in "…2026!!"."""
    yield _plain(password)
    core = _TAIL.sub("", password)
    for length in range(max(len(core), len(password) - MAX_TAIL), len(password)):
        yield _plain(password[:length])


@cache
def _common() -> frozenset[str]:
    with gzip.open(COMMON_LIST, "rt", encoding="ascii") as lines:
        return frozenset(_plain(line) for line in lines)

"""Makes ``common_passwords.txt.gz``: what people choose when a password must be long.

Published lists hold hardly anything of 15 characters or more (Django's 48 of 20,000), so a length rule
alone would empty them of meaning (ASVS 6.2.4). This takes those few and adds what long passwords of
breached services look like: keyboard walks, sequences, repeats, pairs of the commonest passwords,
passwords with years and counted digits, and phrases that everybody knows.

Run ``python -m accounts.identity.data.build_common_passwords``; the result is the same to the byte.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from itertools import permutations, product
from pathlib import Path

from django.contrib.auth import password_validation
from zxcvbn.frequency_lists import FREQUENCY_LISTS

SHORTEST = 15
LONGEST_RUN = 24
TARGET = Path(__file__).with_name("common_passwords.txt.gz")
WORDS = Path(__file__).with_name("common_words.txt")

ROWS = (
    "1234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "azertyuiop",
    "qwertzuiop",
    "abcdefghijklmnopqrstuvwxyz",
)
COLUMNS = ("1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik", "9ol", "0p")
YEARS = [str(year) for year in range(1970, 2031)]
TAILS = (
    "123456789",
    "1234567890",
    "12345678",
    "1234567",
    "123456",
    "12345",
    "1234",
    "123",
    "987654321",
    "654321",
)
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
SEASONS = ("spring", "summer", "autumn", "winter")


def words(section: str) -> tuple[str, ...]:
    """The words under ``[section]`` in ``common_words.txt``."""
    _before, _header, rest = WORDS.read_text(encoding="ascii").partition(f"[{section}]\n")
    return tuple(rest.partition("[")[0].split())


COMMONEST, NAMES, CLUBS = words("commonest"), words("names"), words("clubs")


def published() -> Iterator[str]:
    """The long ones of the lists that our libraries ship."""
    path = Path(password_validation.__file__).with_name("common-passwords.txt.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from (line.strip() for line in lines)
    yield from FREQUENCY_LISTS["passwords"]


def stretched(text: str) -> Iterator[str]:
    """``text`` over and over, cut at every length that people stop at."""
    for length in range(SHORTEST, LONGEST_RUN + 1):
        yield (text * (length // len(text) + 1))[:length]


def whole_repeats(text: str) -> Iterator[str]:
    """``text`` two to six times, whole."""
    yield from (text * times for times in range(2, 7))


def walks() -> Iterator[str]:
    """Fingers along the keyboard: rows, rows back, columns, and columns taken alternately."""
    for row in ROWS:
        yield from stretched(row)
        yield from stretched(row[::-1])
        yield from stretched(row + row[::-1])
    for first, second in permutations(ROWS, 2):
        yield first + second
        yield from stretched("".join(a + b for a, b in zip(first, second, strict=False)))
    for start in range(len(COLUMNS)):
        turned = COLUMNS[start:] + COLUMNS[:start]
        yield from stretched("".join(turned))
        yield from stretched("".join(column[::-1] for column in turned))
        yield from stretched("".join(c if i % 2 else c[::-1] for i, c in enumerate(turned)))


def repeats() -> Iterator[str]:
    """One character held down, pairs of it, and short words again and again."""
    for character in "0123456789abcdefghijklmnopqrstuvwxyz":
        yield from stretched(character)
    for short in (
        "abc",
        "abcd",
        "abc123",
        "qwe",
        "qwer",
        "asd",
        "asdf",
        "zxc",
        "zxcv",
        "qaz",
        "wsx",
        "123",
        "321",
        "xyz",
    ):
        yield from stretched(short)
    for word in (*COMMONEST, *NAMES, *CLUBS, *MONTHS, *SEASONS):
        yield from whole_repeats(word)
    yield "".join(character * 3 for character in "12345")
    yield "".join(character * times for times, character in enumerate("12345", start=1))


def sequences() -> Iterator[str]:
    """Counting up, down and in twos, and doubled years."""
    up = "".join(str(number) for number in range(1, 40))
    yield from (up[:length] for length in range(SHORTEST, 40))
    yield from stretched("0123456789")
    yield from stretched("9876543210")
    yield from stretched("123456789")
    yield from stretched("987654321")
    yield from stretched("13579")
    yield from stretched("24680")
    for year in YEARS:
        yield from stretched(year)


def compounds() -> Iterator[str]:
    """Two of the commonest in a row, and one with a year or counted digits before or behind it."""
    for first, second in product(COMMONEST[:60], repeat=2):
        yield first + second
    for word in (*COMMONEST, *CLUBS, *MONTHS, *SEASONS):
        for tail in TAILS:
            yield word + tail
            yield tail + word
    for word, year in product((*COMMONEST, *CLUBS, *MONTHS), YEARS[20:]):
        yield f"{word}{year}"
        yield f"{word}{year}{word}"
    for first, second in permutations(NAMES[:30], 2):
        yield f"{first}and{second}"
        yield f"{first}loves{second}"


def phrases() -> Iterator[str]:
    """Sentences that everybody knows, and pleas to be let in; plain and with the usual ending."""
    for phrase in words("phrases"):
        yield phrase
        yield f"{phrase}1"
        yield f"{phrase}123"
    for plea, word in product(words("pleas"), (*NAMES, *COMMONEST[:20])):
        yield plea + word


def _fits(password: str) -> bool:
    return len(password) >= SHORTEST and password.isascii() and password.isprintable()


def entries() -> list[str]:
    """Every common password of at least ``SHORTEST`` characters, once, in order."""
    sources: Iterable[Iterator[str]] = (
        published(), walks(), repeats(), sequences(), compounds(), phrases(),
    )  # fmt: skip
    return sorted({password.lower() for source in sources for password in source if _fits(password)})


def build() -> bytes:
    """The file: one entry a line, compressed without a timestamp so that it is reproducible."""
    text = "".join(f"{entry}\n" for entry in entries())
    return gzip.compress(text.encode("ascii"), compresslevel=9, mtime=0)


if __name__ == "__main__":
    TARGET.write_bytes(build())

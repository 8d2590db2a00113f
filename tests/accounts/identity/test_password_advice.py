"""What a person reads when a password is too easy to guess: whole sentences of the portal's own."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from accounts.identity import passwords


def _refusal(password: str) -> str:
    with pytest.raises(ValidationError) as refusal:
        passwords.validate(password, passwords.About())
    assert refusal.value.code == "password_weak"
    return refusal.value.messages[0]


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("elephantelephant", "it repeats the same thing"),
        ("bcdefghijklmnopqrstuv", "it goes on as “abc”"),
        ("ertyuiop[]dfghj", "it follows the keys of a keyboard"),
        ("internationalization", "that many people use make up most of it"),
        ("monkey01.02.1990", "a date makes up most of it"),
    ],
)
def test_the_reason_and_the_way_out_are_named(password: str, reason: str) -> None:
    text = _refusal(password)

    assert reason in text
    assert text.startswith("This is too easy to guess: ")
    assert text.endswith(".")
    assert "unrelated words" in text or "words that have nothing to do with" in text

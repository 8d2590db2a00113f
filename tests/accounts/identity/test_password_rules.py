"""What a password must be."""

from __future__ import annotations

import gzip
from time import perf_counter

import pytest
from django.core.exceptions import ValidationError

from accounts.identity import passwords
from accounts.identity.data import build_common_passwords
from accounts.identity.passwords import About

NOBODY = About()
ROBIN = About(
    email="robin.sample@newcustomer.example", name="Robin Weatherby", organization_name="Nordlicht Küche AG"
)


def _code(password: str, about: About = NOBODY) -> str:
    try:
        passwords.validate(password, about)
    except ValidationError as error:
        return error.code or "?"
    return ""


@pytest.mark.parametrize(
    "password",
    [
        "quarry-lantern-orchid-77",
        "quarrylanternorchid",
        "vier kleine Schildkröten spielen Schach",
        "四つの小さな亀が将棋を指している夜に",
        "🐢🦊🐙🦉🐳🦔🐝🦜🐌🦞🐡🦩🐿🦇🐊",
        " leading and trailing spaces count ",
        "Xk2$v9!mQ7#pL4z",
    ],
)
def test_good_passwords_of_every_kind_are_taken(password: str) -> None:
    assert _code(password) == ""


@pytest.mark.parametrize(
    ("length", "code"),
    [(14, "password_too_short"), (15, ""), (256, ""), (257, "password_too_long")],
)
def test_length_is_fifteen_to_two_hundred_and_fifty_six(length: int, code: str) -> None:
    unguessable = "qX7 vRt2 mKw9 pLz4 hBn6 " * 11

    assert _code(unguessable[:length]) == code


def test_length_counts_characters_and_not_bytes() -> None:
    assert _code("亀狐蛸梟鯨鼠蜂鸚蝸蝦河鶴栗蝠") == "password_too_short"
    assert _code("亀狐蛸梟鯨鼠蜂鸚蝸蝦河鶴栗蝠鰐") == ""


@pytest.mark.parametrize(
    "password",
    [
        "correcthorsebatterystaple",
        "Correct Horse Battery Staple",
        "correct-horse-battery-staple-1",
        "passwordpassword",
        "P@ssw0rdP@ssw0rd",
        "qwertyuiopasdfgh",
        "1qaz2wsx3edc4rfv",
        "123456789012345",
        "aaaaaaaaaaaaaaa",
        "iloveyouforever!",
        "thisisapassword",
        "manchesterunited",
        "administrator2026!!",
        "Welcome123welcome",
        "maytheforcebewithyou99",
    ],
)
def test_passwords_that_many_people_use_are_refused(password: str) -> None:
    assert _code(password) == "password_common"


def test_the_shipped_list_is_long_enough_and_of_long_passwords() -> None:
    with gzip.open(passwords.COMMON_LIST, "rt", encoding="ascii") as lines:
        entries = [line.rstrip("\n") for line in lines]

    assert len(set(entries)) == len(entries) >= 3000
    assert min(len(entry) for entry in entries) >= passwords.MIN_LENGTH


def test_the_shipped_list_is_the_one_that_its_program_makes() -> None:
    built = gzip.decompress(build_common_passwords.build())

    assert built == gzip.decompress(passwords.COMMON_LIST.read_bytes())


@pytest.mark.parametrize(
    "password",
    [
        "my Kellexa quarry lantern",
        "k3ll3xa-quarry-lantern",
        "robin-quarry-lantern-orchid",
        "R0B1N quarry lantern orchid",
        "weatherby quarry lantern",
        "nordlicht-2026-quarry-x",
        "KÜCHE quarry lantern orchid",
        "newcustomer quarry lantern",
    ],
)
def test_words_from_the_persons_context_are_refused_and_named(password: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        passwords.validate(password, ROBIN)

    assert refusal.value.code == "password_context"
    assert "Leave out" in refusal.value.messages[0]


def test_short_words_and_the_ending_of_the_host_are_no_context() -> None:
    assert _code("agile quarry example lantern", ROBIN) == ""


@pytest.mark.parametrize("password", ["abcabcabcabcabcabcx", "sunshine1sunshine", "elephantelephant"])
def test_a_password_that_is_easy_to_guess_is_refused_with_advice(password: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        passwords.validate(password, NOBODY)

    assert refusal.value.code == "password_weak"
    assert len(refusal.value.messages[0]) > len("This is too easy to guess. ")


def test_no_composition_is_asked_for() -> None:
    assert _code("quarrylanternorchid") == ""


def test_judging_a_hostile_password_takes_no_time_to_speak_of() -> None:
    hostile = ("4@8({[<369!1|0$57+%2" * 13)[:256]
    begun = perf_counter()

    _code(hostile, ROBIN)

    assert perf_counter() - begun < 1.0


def test_compatibility_forms_are_one_password() -> None:
    assert passwords.matches("ｑuarry lantern orchid", passwords.make("quarry lantern orchid"))


def test_case_and_space_are_kept_as_typed() -> None:
    stored = passwords.make("Quarry lantern orchid ")

    assert not passwords.matches("quarry lantern orchid ", stored)
    assert not passwords.matches("Quarry lantern orchid", stored)


def test_a_password_is_never_cut() -> None:
    long = "quarry lantern orchid " * 11

    assert not passwords.matches(long[:-1], passwords.make(long))
    assert passwords.matches(long, passwords.make(long))

"""Decisions about mail, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kellexa_portal.mail import rules

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "Hello\nBcc: thief@evil.example",
        "Hello\rBcc: thief@evil.example",
        "Hello\r\n\r\nA body of my own",
        "Hello\x00",
        "Hello\x0b\x0cX: y",
        "Hello\x85X: y",
        "Hello\u2028X: y",
        "Hello\u2029X: y",
        "lone surrogate \ud800",
        "",
        "   ",
    ],
)
def test_header_text_that_could_start_another_header_is_refused(value: str) -> None:
    with pytest.raises(rules.UnsafeHeaderError):
        rules.header_text("Subject", value)


def test_header_text_in_any_script_is_accepted() -> None:
    value = "Bestätigen Sie Ihre Adresse — 確認 🔑"

    assert rules.header_text("Subject", value) == value


def test_over_long_header_text_is_refused() -> None:
    with pytest.raises(rules.UnsafeHeaderError):
        rules.header_text("Subject", "x" * 201, limit=200)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "ada@",
        "@acme.example",
        "ada@acme.example, bob@acme.example",
        "Ada <ada@acme.example>",
        "ada@acme.example\nBcc: thief@evil.example",
        "ada@acme.example\n",
        "ada\x00@acme.example",
        "ada@acme.example\u2028",
        "ada b@acme.example",
        "ädä@acme.example",
        "a" * 250 + "@acme.example",
    ],
)
def test_recipient_that_is_not_one_bare_address_is_refused(address: str) -> None:
    with pytest.raises(rules.InvalidRecipientError):
        rules.recipient(address)


@pytest.mark.parametrize("address", ["ada@acme.example", "ada+mail@acme.example", "ada@bücher.example"])
def test_plain_recipient_is_accepted(address: str) -> None:
    assert rules.recipient(address) == address


@pytest.mark.parametrize(
    "name", ["Bcc", "bcc", "To", "From", "Subject", "Content-Type", "X-Any", "A: b\nBcc"]
)
def test_header_that_senders_may_not_set_is_refused(name: str) -> None:
    with pytest.raises(rules.UnsafeHeaderError):
        rules.extra_headers({name: "value"})


def test_extra_header_gets_its_standard_spelling() -> None:
    assert rules.extra_headers({"list-unsubscribe": "<https://portal.example/u/>"}) == {
        "List-Unsubscribe": "<https://portal.example/u/>"
    }


@given(st.text(min_size=1))
def test_message_id_is_one_safe_token_whatever_the_key(key: str) -> None:
    identity = rules.message_id(key.encode("utf-8", "replace").decode(), domain="portal.example")

    assert identity.startswith("<")
    assert identity.endswith("@portal.example>")
    assert len(identity) == 1 + 40 + 1 + len("portal.example") + 1
    assert identity.isascii()
    assert identity.isprintable()


def test_message_ids_differ_by_key_and_never_by_time() -> None:
    first = rules.message_id("signup:1", domain="portal.example")

    assert first == rules.message_id("signup:1", domain="portal.example")
    assert first != rules.message_id("signup:2", domain="portal.example")


def test_waits_double_from_half_a_minute_to_six_hours() -> None:
    waits = [
        rules.next_try_at(attempts=attempts, created_at=NOW, now=NOW, chance=0.5) for attempts in range(1, 12)
    ]

    assert waits[0] == NOW + timedelta(seconds=30)
    assert waits[1] == NOW + timedelta(seconds=60)
    assert waits[10] == NOW + timedelta(hours=6)


@given(st.integers(1, 11), st.floats(0, 1, exclude_max=True))
def test_wait_strays_by_a_fifth_at_most(attempts: int, chance: float) -> None:
    middle = rules.next_try_at(attempts=attempts, created_at=NOW, now=NOW, chance=0.5)
    at = rules.next_try_at(attempts=attempts, created_at=NOW, now=NOW, chance=chance)

    assert at is not None
    assert middle is not None
    assert 0.79 <= (at - NOW) / (middle - NOW) <= 1.21


def test_twelfth_failure_is_the_last() -> None:
    assert rules.next_try_at(attempts=12, created_at=NOW, now=NOW, chance=0.5) is None


def test_mail_is_given_up_after_a_day() -> None:
    later = NOW + timedelta(hours=23, minutes=59, seconds=50)

    assert rules.next_try_at(attempts=2, created_at=NOW, now=later, chance=0.5) is None

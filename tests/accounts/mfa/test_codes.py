"""Codes as arithmetic, against RFC 6238 and ``oathtool``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts.mfa import qr, rules
from tests.factories.sign_in import oathtool

NOW = datetime(2026, 11, 23, 12, 0, 7, tzinfo=UTC)
SEED = b"12345678901234567890"


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_equal_those_of_rfc_6238(at: int, code: str) -> None:
    step = rules.step_at(datetime.fromtimestamp(at, tz=UTC))

    assert rules.code_at(SEED, step) == code


@time_machine.travel(NOW, tick=False)
def test_codes_equal_those_of_oathtool() -> None:
    seed = rules.new_seed()

    assert rules.code_at(seed, rules.step_at(NOW)) == oathtool(seed)


def test_a_seed_has_160_bits_and_is_never_the_same() -> None:
    assert len(rules.new_seed()) == 20
    assert rules.new_seed() != rules.new_seed()


@pytest.mark.parametrize("typed", ["123456", "123 456", " 123456 ", "1 2 3 4 5 6"])
def test_spaces_make_no_second_spelling(typed: str) -> None:
    assert rules.canonical_code(typed) == "123456"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "12345",
        "1234567",
        "+123456",
        "-12345",
        "12345a",
        "１２３４５６",
        "١٢٣٤٥٦",
        "123456\n",
        "123\u00a0456",
        "123\u2009456",
        "0x1234",
        "1e5000",
    ],
)
def test_every_other_spelling_is_refused(typed: str) -> None:
    assert rules.canonical_code(typed) is None


def test_a_step_moves_with_the_drift() -> None:
    assert rules.step_at(NOW, drift=2) == rules.step_at(NOW + timedelta(seconds=60))


def test_the_present_code_proves_a_true_clock() -> None:
    reading = rules.read(SEED, rules.code_at(SEED, rules.step_at(NOW)), now=NOW)

    assert reading is not None
    assert reading.drift == 0
    assert rules.is_calibrated(reading, former=None)


def test_one_late_code_does_not_prove_a_wrong_clock() -> None:
    late = rules.Reading(step=100, drift=-1)

    assert not rules.is_calibrated(late, former=None)


def test_the_same_drift_twice_is_a_wrong_clock() -> None:
    first, second = rules.Reading(step=100, drift=-1), rules.Reading(step=101, drift=-1)

    assert rules.is_calibrated(second, former=first)
    assert not rules.is_calibrated(first, former=first)
    assert not rules.is_calibrated(rules.Reading(step=103, drift=1), former=first)


def test_a_code_far_from_now_is_not_read() -> None:
    far = rules.code_at(SEED, rules.step_at(NOW) + rules.MAX_DRIFT_STEPS + 1)

    assert rules.read(SEED, far, now=NOW) is None


def test_a_recovery_code_has_125_bits() -> None:
    code = rules.new_recovery_code()

    assert [len(group) for group in code.split("-")] == [5, 5, 5, 5, 5]
    assert len(rules.RECOVERY_ALPHABET) ** 25 == 2**125
    assert set(code.replace("-", "")) <= set(rules.RECOVERY_ALPHABET)


def test_a_recovery_code_is_forgiven_its_spelling() -> None:
    canonical = "01ABCDEFGHJKMNPQRSTVWXYZ0"

    assert rules.canonical_recovery_code("oiabc-defgh-jkmnp-qrstv-wxyzO") == canonical
    assert rules.canonical_recovery_code("oi" + canonical[2:24].lower() + "O") == canonical
    assert rules.canonical_recovery_code("Ol" + canonical[2:]) == canonical
    assert rules.canonical_recovery_code(" ".join(canonical)) == canonical


@pytest.mark.parametrize("typed", ["", "ABCDE", "U" * 25, "Ａ" * 25, "A" * 26, "ı" * 25, "ſ" * 25])
def test_what_is_no_recovery_code_is_refused(typed: str) -> None:
    assert rules.canonical_recovery_code(typed) is None


def test_the_picture_shows_the_address_without_style_or_script() -> None:
    address = qr.address_of(key="ABCD EFGH", email="ada+test@example.com")

    drawn = qr.draw(address)

    assert address.startswith(
        "otpauth://totp/Kellexa:ada%2Btest%40example.com?secret=ABCDEFGH&issuer=Kellexa"
    )
    assert drawn.size >= 21 + 2 * qr.QUIET_ZONE
    assert set(drawn.path) <= set("Mh0123456789. ")
    assert "M" not in repr(drawn)

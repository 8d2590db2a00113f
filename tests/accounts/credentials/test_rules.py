"""States, dates, names and addresses, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.credentials import rules
from accounts.credentials.rules import State

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("expires_at", "state"),
    [
        (NOW + rules.EXPIRING_WITHIN + TICK, State.ACTIVE),
        (NOW + rules.EXPIRING_WITHIN, State.EXPIRING),
        (NOW + TICK, State.EXPIRING),
        (NOW, State.EXPIRED),
        (NOW - TICK, State.EXPIRED),
    ],
)
def test_a_key_works_up_to_its_end_and_not_at_it(expires_at: datetime, state: State) -> None:
    found = rules.state_of(
        revoked_at=None, suspended_at=None, expires_at=expires_at, is_replaced=False, now=NOW
    )

    assert found is state


def test_what_ended_for_good_comes_first_then_what_is_stopped_then_what_is_replaced() -> None:
    def of(*, revoked: bool, past: bool, suspended: bool = True) -> State:
        return rules.state_of(
            revoked_at=NOW - DAY if revoked else None,
            suspended_at=NOW - DAY if suspended else None,
            expires_at=NOW - TICK if past else NOW + 50 * DAY,
            is_replaced=True,
            now=NOW,
        )

    assert of(revoked=True, past=True) is State.REVOKED
    assert of(revoked=False, past=True) is State.EXPIRED
    assert of(revoked=False, past=False) is State.SUSPENDED
    assert of(revoked=False, past=False, suspended=False) is State.RETIRING


@given(
    left=st.timedeltas(min_value=timedelta(days=-10), max_value=timedelta(days=400)),
    overlap=st.timedeltas(min_value=timedelta(0), max_value=rules.MAX_OVERLAP),
)
def test_a_rotation_never_lengthens_the_old_key(left: timedelta, overlap: timedelta) -> None:
    end = rules.retirement(expires_at=NOW + left, overlap=overlap, now=NOW)

    assert end <= NOW + left
    assert end <= NOW + overlap


@pytest.mark.parametrize(
    ("lifetime", "is_allowed"),
    [
        (timedelta(0), False),
        (TICK, True),
        (timedelta(days=366), True),
        (timedelta(days=366) + TICK, False),
        (timedelta(days=-1), False),
    ],
)
def test_a_key_lives_at_most_a_year_to_the_end_of_its_day(lifetime: timedelta, is_allowed: bool) -> None:
    assert rules.is_lifetime_allowed(NOW + lifetime, now=NOW) is is_allowed


def test_a_successor_lives_as_long_as_its_predecessor_was_meant_to() -> None:
    end = rules.successor_expiry(created_at=NOW - 60 * DAY, expires_at=NOW - 30 * DAY, now=NOW)

    assert end == NOW + 30 * DAY


@pytest.mark.parametrize(
    "name", ["", "   ", "x" * 81, "a\x00b", "bad\u202etxt", "zero\u200bwidth", "\x1b[31m", "\ud800"]
)
def test_an_empty_overlong_or_disguised_name_is_refused(name: str) -> None:
    assert rules.clean_text(name, longest=80) is None


def test_a_name_keeps_letters_of_any_script_and_single_spaces() -> None:
    assert rules.clean_text("  Nächtlicher   Export  夜 ", longest=80) == "Nächtlicher Export 夜"


@pytest.mark.parametrize(
    ("texts", "canonical"),
    [
        (["192.0.2.7"], ["192.0.2.7/32"]),
        (["2001:DB8::1"], ["2001:db8::1/128"]),
        (["2001:0db8:0000::/32"], ["2001:db8::/32"]),
        (["::ffff:192.0.2.7"], ["192.0.2.7/32"]),
        (["::ffff:192.0.2.0/120"], ["192.0.2.0/24"]),
        (["10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/8"], ["10.0.0.0/8"]),
        (["2001:db8::/32", "192.0.2.1"], ["192.0.2.1/32", "2001:db8::/32"]),
    ],
)
def test_networks_have_one_spelling(texts: list[str], canonical: list[str]) -> None:
    assert rules.canonical_networks(texts) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "", "localhost", "192.0.2", "192.0.2.1/8", "192.0.2.256", "010.0.0.1", "1.2.3.4/33", "0.0.0.0/0",
        "::/0", "fe80::1%eth0", "2001:db8::1/64", "::ffff:0:0/95", "::ffff:0:0/96",
        "192.0.2.1/255.255.255.255/3", "١.٢.٣.٤",
    ],
)  # fmt: skip
def test_what_is_no_single_clear_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        rules.parse_network(text)


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("192.0.2.0", True),
        ("192.0.2.255", True),
        ("192.0.3.0", False),
        ("::ffff:192.0.2.9", True),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("", False),
        ("not an address", False),
        ("fe80::1%eth0", False),
    ],
)
def test_a_bound_key_works_from_its_networks_only(address: str, is_allowed: bool) -> None:
    networks = ["192.0.2.0/24", "2001:db8::/32"]

    assert rules.is_address_allowed(address, networks=networks) is is_allowed


def test_an_unbound_key_works_from_anywhere_even_unknown() -> None:
    assert rules.is_address_allowed("", networks=[])


@given(st.ip_addresses())
def test_every_address_is_inside_its_own_canonical_network(address: object) -> None:
    networks = rules.canonical_networks([str(address)])

    assert rules.is_address_allowed(str(ip_address(str(address))), networks=networks)

"""Keyed hashes and their peppers."""

from __future__ import annotations

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from kellexa_portal.crypto import candidates, keyed_hash, matches, needs_rehash
from kellexa_portal.env import KeyMap

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


@given(value=st.binary(), other=st.binary())
def test_hash_matches_its_value_and_no_other(value: bytes, other: bytes) -> None:
    hashed = keyed_hash(value, purpose="test")

    assert matches(value, hashed, purpose="test")
    assert matches(other, hashed, purpose="test") == (other == value)


def test_hash_of_another_purpose_does_not_match() -> None:
    assert not matches(b"value", keyed_hash(b"value", purpose="one"), purpose="other")


def test_purpose_and_value_cannot_be_shifted_into_each_other() -> None:
    assert keyed_hash(b"bc", purpose="a") != keyed_hash(b"c", purpose="ab")


def test_former_pepper_still_matches_and_asks_for_a_rehash() -> None:
    with override_settings(TOKEN_PEPPERS=KeyMap({"old": OLD})):
        hashed = keyed_hash(b"value", purpose="test")

    with override_settings(TOKEN_PEPPERS=KeyMap({"new": NEW, "old": OLD})):
        assert matches(b"value", hashed, purpose="test")
        assert needs_rehash(hashed)
        assert not needs_rehash(keyed_hash(b"value", purpose="test"))


def test_removed_pepper_matches_nothing() -> None:
    with override_settings(TOKEN_PEPPERS=KeyMap({"old": OLD})):
        hashed = keyed_hash(b"value", purpose="test")

    with override_settings(TOKEN_PEPPERS=KeyMap({"new": NEW})):
        assert not matches(b"value", hashed, purpose="test")
        assert needs_rehash(hashed)


def test_same_id_with_other_bytes_matches_nothing() -> None:
    with override_settings(TOKEN_PEPPERS=KeyMap({"p": OLD})):
        hashed = keyed_hash(b"value", purpose="test")

    with override_settings(TOKEN_PEPPERS=KeyMap({"p": NEW})):
        assert not matches(b"value", hashed, purpose="test")


def test_candidates_cover_every_live_pepper_the_current_first() -> None:
    with override_settings(TOKEN_PEPPERS=KeyMap({"old": OLD})):
        former = keyed_hash(b"value", purpose="test")

    with override_settings(TOKEN_PEPPERS=KeyMap({"new": NEW, "old": OLD})):
        assert candidates(b"value", purpose="test") == [keyed_hash(b"value", purpose="test"), former]


@pytest.mark.parametrize("hashed", [b"", b"\0", b"\x02p", b"\xff" * 40, b"\0" + b"x" * 32])
def test_malformed_hash_matches_nothing(hashed: bytes) -> None:
    assert not matches(b"value", hashed, purpose="test")
    assert needs_rehash(hashed)


def test_every_flipped_bit_breaks_the_match() -> None:
    hashed = keyed_hash(b"value", purpose="test")

    for position in range(len(hashed) * 8):
        changed = bytearray(hashed)
        changed[position // 8] ^= 1 << position % 8
        assert not matches(b"value", bytes(changed), purpose="test")

"""Cursors are ours or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kellexa_portal.core.ids import BASE62, base62, uuid7
from kellexa_portal.core.pagination import decode_cursor, encode_cursor


@given(st.integers(min_value=0, max_value=10**18 - 1))
def test_a_cursor_comes_back_as_its_key(key: int) -> None:
    assert decode_cursor(encode_cursor(key)) == key


@given(st.text(max_size=60))
def test_no_text_makes_a_cursor_fail(text: str) -> None:
    key = decode_cursor(text)

    assert key is None or 0 <= key < 10**18


@pytest.mark.parametrize("cursor", ["", "-1", "MTI=x", "LTE", "4pKg", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAx"])
def test_what_this_module_did_not_write_is_no_cursor(cursor: str) -> None:
    assert decode_cursor(cursor) is None


def test_ids_sort_by_time_and_carry_the_version_of_the_standard() -> None:
    first = uuid7()
    later = uuid7()

    assert first.version == 7
    assert first.variant == "specified in RFC 4122"
    assert first.int >> 80 <= later.int >> 80
    assert first != later


def test_random_text_has_the_length_and_alphabet_asked_for() -> None:
    text = base62(43)

    assert len(text) == 43
    assert set(text) <= set(BASE62)

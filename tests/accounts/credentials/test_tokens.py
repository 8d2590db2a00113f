"""The token format, by properties and against the published checksum of others."""

from __future__ import annotations

import re
import string
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.credentials import tokens
from accounts.credentials.actions import IssuedKey
from accounts.credentials.models import ApiKey

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase

kinds = st.sampled_from(["personal", "service"])
environments = st.sampled_from(["live", "test"])
key_ids = st.text(alphabet=BASE62, min_size=14, max_size=14)


def test_the_checksum_is_the_one_that_github_publishes() -> None:
    body = "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ"

    assert zlib.crc32(b"123456789") == 0xCBF43926
    assert tokens.checksum(body) == "0mLq17"


@given(kinds, environments, key_ids)
def test_a_new_token_has_73_characters_and_parses_to_its_parts(
    kind: str, environment: str, key_id: str
) -> None:
    token = tokens.new_token(kind=kind, environment=environment, key_id=key_id)

    parsed = tokens.parse(token)

    assert len(token) == tokens.TOKEN_LENGTH == 73
    assert re.fullmatch(tokens.PUBLISHED_REGEX, token)
    assert parsed is not None
    assert (parsed.kind, parsed.environment, parsed.key_id) == (kind, environment, key_id)


@given(st.integers(min_value=0, max_value=72), st.sampled_from(BASE62 + "_-"))
def test_a_token_with_one_character_changed_is_none(place: int, character: str) -> None:
    token = tokens.new_token(kind="personal", environment="live", key_id="0" * 14)
    changed = token[:place] + character + token[place + 1 :]

    assert (tokens.parse(changed) is None) == (changed != token)


@given(st.text(max_size=200))
def test_any_other_text_is_no_token_and_no_error(text: str) -> None:
    assert tokens.parse(text) is None


@pytest.mark.parametrize("noise", ["\n", " ", "\x00", "０"])
def test_a_token_with_something_around_it_is_none(noise: str) -> None:
    token = tokens.new_token(kind="service", environment="test", key_id="A" * 14)

    assert tokens.parse(token + noise) is None
    assert tokens.parse(noise + token) is None
    assert tokens.parse(token[:-1] + noise) is None


@given(st.integers(min_value=0, max_value=2**256 - 1))
def test_every_256_bit_number_fits_the_secret_and_comes_back(number: int) -> None:
    text = tokens.encode_base62(number, length=tokens.SECRET_LENGTH)

    value = 0
    for character in text:
        value = value * 62 + BASE62.index(character)
    assert len(text) == 43
    assert value == number


@pytest.mark.parametrize("number", [-1, 62**6])
def test_a_number_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=r"fit|negative"):
        tokens.encode_base62(number, length=6)


def test_ids_and_secrets_do_not_repeat() -> None:
    made = [tokens.new_token(kind="personal", environment="live", key_id=tokens.new_id()) for _ in range(500)]

    assert len({token[10:24] for token in made}) == 500
    assert len({token[24:67] for token in made}) == 500


def test_nothing_prints_the_token() -> None:
    token = tokens.new_token(kind="personal", environment="live", key_id="0" * 14)

    parsed = tokens.parse(token)
    result = IssuedKey(ApiKey(key_id="0" * 14), token)

    assert token not in repr(parsed)
    assert token not in repr(result)
    assert token not in str(result)


def test_the_shown_form_holds_four_characters_of_each_end() -> None:
    shown = tokens.display(kind="service", environment="test", key_id="AbCd0123456789", last4="wxyz")

    assert shown == "klxs_test_AbCd…wxyz"

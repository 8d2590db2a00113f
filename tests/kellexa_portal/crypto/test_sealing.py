"""Sealed values: what opens, and all that must not."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kellexa_portal.crypto import SYSTEM_SCOPE, SealedValueError, datakeys, open_sealed, seal
from kellexa_portal.crypto.models import DataKey
from kellexa_portal.crypto.sealing import OVERHEAD
from tests.kellexa_portal.crypto.support import key, keyring, place

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_data_keys")]

_within_one_test = hypothesis_settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_within_one_test
@given(plaintext=st.binary(max_size=4096))
def test_whatever_was_sealed_opens_at_its_place(plaintext: bytes) -> None:
    there = place(scope=SYSTEM_SCOPE)

    sealed = seal(plaintext, place=there)

    assert open_sealed(sealed, place=there) == plaintext
    assert len(sealed) == len(plaintext) + OVERHEAD


def test_the_same_plaintext_is_sealed_differently_each_time() -> None:
    there = place()

    assert len({seal(b"secret", place=there) for _ in range(20)}) == 20


def test_sealed_value_does_not_hold_its_plaintext() -> None:
    assert b"a rather telling secret" not in seal(b"a rather telling secret", place=place())


def test_value_comes_back_from_a_memoryview_as_the_database_may_give_it() -> None:
    there = place()

    assert open_sealed(memoryview(seal(b"secret", place=there)), place=there) == b"secret"  # type: ignore[arg-type]  # what drivers do


@pytest.mark.parametrize(
    "other",
    [
        {"row": uuid4()},
        {"column": "former_secret"},
        {"table": "webhooks_endpoint"},
        {"purpose": "another-purpose"},
        {"scope": uuid4()},
        {"scope": SYSTEM_SCOPE},
    ],
    ids=["row", "column", "table", "purpose", "organization", "system"],
)
def test_value_moved_to_another_place_does_not_open(other: dict[str, object]) -> None:
    there = place()
    elsewhere = replace(there, **other)  # type: ignore[arg-type]  # one field each
    seal(b"theirs", place=elsewhere)

    with pytest.raises(SealedValueError):
        open_sealed(seal(b"mine", place=there), place=elsewhere)


def test_swapping_two_rows_makes_both_unreadable() -> None:
    one = place()
    other = replace(one, row=uuid4())
    first, second = seal(b"first", place=one), seal(b"second", place=other)

    for swapped, there in ((first, other), (second, one)):
        with pytest.raises(SealedValueError):
            open_sealed(swapped, place=there)


def test_every_flipped_bit_is_an_error() -> None:
    there = place()
    sealed = seal(b"twenty secret bytes!", place=there)

    for position in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(SealedValueError):
            open_sealed(bytes(changed), place=there)


@_within_one_test
@given(data=st.data())
def test_any_other_bytes_are_an_error(data: st.DataObject) -> None:
    there = place(scope=SYSTEM_SCOPE)
    sealed = seal(b"secret", place=there)
    start = data.draw(st.integers(0, len(sealed)))
    end = data.draw(st.integers(start, len(sealed)))
    changed = sealed[:start] + data.draw(st.binary(max_size=64)) + sealed[end:]

    if changed != sealed:
        with pytest.raises(SealedValueError):
            open_sealed(changed, place=there)


@pytest.mark.parametrize("length", [0, 1, 16, 17, OVERHEAD - 1])
def test_cut_off_value_is_an_error(length: int) -> None:
    there = place()

    with pytest.raises(SealedValueError):
        open_sealed(seal(b"", place=there)[:length], place=there)


def test_unknown_data_key_is_an_error() -> None:
    there = place()
    sealed = seal(b"secret", place=there)
    DataKey.objects.using(datakeys.DATABASE).filter(scope=there.scope).delete()
    datakeys.forget()

    with pytest.raises(SealedValueError, match="unknown-key"):
        open_sealed(sealed, place=there)


def test_unknown_key_encryption_key_is_an_error_for_opening_and_sealing() -> None:
    there = place()
    with keyring(former=key()):
        sealed = seal(b"secret", place=there)

    with keyring(other=key()):
        with pytest.raises(SealedValueError, match="unknown-key"):
            open_sealed(sealed, place=there)
        with pytest.raises(SealedValueError, match="unknown-key"):
            seal(b"secret", place=there)


def test_key_of_the_same_name_but_other_bytes_is_an_error() -> None:
    there = place()
    with keyring(main=key()):
        sealed = seal(b"secret", place=there)

    with keyring(main=key()), pytest.raises(SealedValueError, match="data-key-changed"):
        open_sealed(sealed, place=there)


@pytest.mark.parametrize("field", ["scope", "purpose", "public_id", "wrapped"])
def test_data_key_row_that_was_tampered_with_is_an_error(field: str) -> None:
    mine, theirs = place(), place(purpose="other-purpose")
    sealed = seal(b"mine", place=mine)
    seal(b"theirs", place=theirs)
    rows = DataKey.objects.using(datakeys.DATABASE)
    planted = getattr(rows.get(scope=theirs.scope), field)
    rows.filter(scope=theirs.scope).delete()
    rows.filter(scope=mine.scope).update(**{field: planted})
    datakeys.forget()

    forged = {"scope": replace(mine, scope=theirs.scope), "purpose": replace(mine, purpose=theirs.purpose)}
    with pytest.raises(SealedValueError):
        open_sealed(sealed, place=forged.get(field, mine))


def test_key_made_in_a_transaction_that_rolls_back_stays_usable() -> None:
    there = place()
    with transaction.atomic():
        seal(b"lost with the rollback", place=there)
        transaction.set_rollback(True)

    sealed = seal(b"kept", place=there)

    datakeys.forget()
    assert open_sealed(sealed, place=there) == b"kept"


def test_error_tells_neither_value_nor_key() -> None:
    there = place()
    sealed = seal(b"a rather telling secret", place=there)

    with pytest.raises(SealedValueError) as caught:
        open_sealed(sealed[:-1], place=there)

    assert str(caught.value) == "The sealed value cannot be opened (changed-or-misplaced)."
    assert caught.value.__cause__ is None

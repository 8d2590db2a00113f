"""Data keys: one current for a scope and purpose, counted, cached for minutes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import IntegrityError, connections
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from kellexa_portal.crypto import datakeys, open_sealed, seal
from kellexa_portal.crypto.models import DataKey
from tests.kellexa_portal.crypto.support import place

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_data_keys")]


def _rows() -> QuerySet[DataKey]:
    return DataKey.objects.using(datakeys.DATABASE)


def test_parallel_first_use_of_a_scope_makes_one_key() -> None:
    there = place()
    together = threading.Barrier(8)

    def first_use(number: int) -> bytes:
        together.wait()
        try:
            return seal(b"%d" % number, place=there)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(first_use, range(8)))

    assert _rows().filter(scope=there.scope).count() == 1
    assert [open_sealed(value, place=there) for value in sealed] == [b"%d" % number for number in range(8)]


def test_database_refuses_a_second_current_key() -> None:
    there = place()
    seal(b"secret", place=there)

    with pytest.raises(IntegrityError, match="crypto_datakey_one_current"):
        _rows().create(scope=there.scope, purpose=there.purpose, kek_id="k", wrapped=b"")


def test_scopes_and_purposes_have_keys_of_their_own() -> None:
    scope = uuid4()

    for there in (place(scope=scope), place(scope=scope, purpose="other"), place()):
        seal(b"secret", place=there)

    assert _rows().count() == 3


def test_sealing_writes_the_count_once_a_block() -> None:
    there = place()
    seal(b"", place=there)

    with CaptureQueriesContext(connections[datakeys.DATABASE]) as rest:
        for _ in range(datakeys.BLOCK - 1):
            seal(b"", place=there)
    with CaptureQueriesContext(connections[datakeys.DATABASE]) as next_block:
        seal(b"", place=there)

    assert len(rest) == 0
    assert len(next_block) == 2
    assert _rows().get().encryptions == 2 * datakeys.BLOCK


def test_key_at_its_cap_retires_and_its_values_still_open() -> None:
    there = place()
    before = seal(b"before", place=there)
    _rows().update(encryptions=datakeys.CAP - datakeys.BLOCK + 1)
    datakeys.forget()

    after = seal(b"after", place=there)

    states = _rows().order_by("pk").values_list("state", flat=True)
    assert list(states) == [DataKey.State.RETIRED, DataKey.State.CURRENT]
    assert open_sealed(before, place=there) == b"before"
    assert open_sealed(after, place=there) == b"after"
    assert before[1:17] != after[1:17]


def test_last_block_below_the_cap_is_still_given() -> None:
    there = place()
    seal(b"", place=there)
    _rows().update(encryptions=datakeys.CAP - datakeys.BLOCK)
    datakeys.forget()

    seal(b"", place=there)

    assert _rows().get().encryptions == datakeys.CAP


def test_cached_key_is_read_anew_after_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    there = place()
    clock = [1000.0]
    monkeypatch.setattr(datakeys.time, "monotonic", lambda: clock[0])
    sealed = seal(b"secret", place=there)
    _rows().all().delete()
    assert open_sealed(sealed, place=there) == b"secret"

    clock[0] += 300

    with pytest.raises(datakeys.UnknownKeyError):
        open_sealed(sealed, place=there)


def test_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datakeys, "MOST_CACHED", 4)
    places = [place() for _ in range(8)]
    sealed = [seal(b"secret", place=there) for there in places]

    opened = [open_sealed(value, place=there) for value, there in zip(sealed, places, strict=True)]

    assert opened == [b"secret"] * 8
    assert len(datakeys._cache._keys) == len(datakeys._cache._turns) == 4


def test_ready_key_shows_no_key() -> None:
    key = datakeys.for_sealing(uuid4(), "test")

    assert repr(key).startswith("<kellexa_portal.crypto.datakeys.ReadyKey object at")


def test_flushed_database_leaves_no_key_in_the_cache() -> None:
    from django.core.management import call_command

    there = place()
    seal(b"secret", place=there)

    _rows().all().delete()
    call_command("migrate", verbosity=0)

    assert not datakeys._cache._keys

"""``reencrypt``: nothing is lost or moved twice, whenever it is interrupted."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.models import QuerySet

from kellexa_portal.core.ids import uuid7
from kellexa_portal.crypto import SealedValueError, datakeys, reencryption
from kellexa_portal.crypto.checks import check_key_ids
from kellexa_portal.crypto.models import DataKey
from kellexa_portal.mail import body
from kellexa_portal.mail.models import OutboxMail
from tests.kellexa_portal.crypto.support import key, keyring

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_data_keys")]

OLD, NEW = key(), key()


def _rows() -> QuerySet[DataKey]:
    return DataKey.objects.using(datakeys.DATABASE)


class _KilledError(BaseException):
    """The process ends here."""


def write(number: int, person: UUID | None = None) -> OutboxMail:
    """A mail whose body is sealed, as the outbox writes it."""
    public_id = uuid7()
    mail = OutboxMail(
        public_id=public_id,
        kind="test",
        person=person,
        recipient="ada@acme.example",
        subject="Hello",
        dedupe_key=str(public_id),
        message_id=f"<{public_id}@test>",
    )
    body.put(mail, body.Body(text=f"text {number}", html=f"html {number}"))
    mail.save()
    return mail


def texts() -> list[str]:
    """What every body says now."""
    return [body.of(mail).text for mail in OutboxMail.objects.order_by("pk")]


def data_keys_in_use() -> set[UUID]:
    return {UUID(bytes=bytes(mail.body)[1:17]) for mail in OutboxMail.objects.exclude(body=None) if mail.body}


def reencrypt(*arguments: str) -> str:
    out = io.StringIO()
    call_command("reencrypt", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def dying_at(call: int, function: Any) -> Any:
    calls = [0]

    def dying(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] == call:
            raise _KilledError
        return function(*args, **kwargs)

    return dying


def test_new_key_encryption_key_rewraps_data_keys_and_touches_no_value() -> None:
    with keyring(old=OLD):
        for number in range(3):
            write(number, uuid4())
    before = [bytes(mail.body) for mail in OutboxMail.objects.order_by("pk")]

    with keyring(new=NEW, old=OLD):
        reencrypt()

    assert set(_rows().values_list("kek_id", flat=True)) == {"new"}
    assert [bytes(mail.body) for mail in OutboxMail.objects.order_by("pk")] == before
    with keyring(new=NEW):
        assert texts() == ["text 0", "text 1", "text 2"]


def test_retired_data_keys_are_rewrapped_too() -> None:
    with keyring(old=OLD):
        write(0)
        _rows().update(state=DataKey.State.RETIRED)
        datakeys.forget()
        write(1)

    with keyring(new=NEW, old=OLD):
        assert "data keys moved to new: 2" in reencrypt()


def test_new_data_keys_move_every_value() -> None:
    person = uuid4()
    for number in range(4):
        write(number, person if number % 2 else None)
    former = data_keys_in_use()

    said = reencrypt("--new-data-keys")

    assert "data keys retired: 2" in said
    assert "values moved to current data keys: 4" in said
    assert not data_keys_in_use() & former
    assert texts() == [f"text {number}" for number in range(4)]


def test_second_run_finds_nothing_to_do() -> None:
    write(0)
    reencrypt("--new-data-keys")

    said = reencrypt()

    assert "data keys moved" in said
    assert "values moved to current data keys: 0" in said


def test_empty_bodies_are_left_alone() -> None:
    mail = write(0)
    OutboxMail.objects.filter(pk=mail.pk).update(body=None, state="failed")

    assert "values moved to current data keys: 0" in reencrypt("--new-data-keys")


def test_more_values_than_one_batch_are_all_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reencryption, "BATCH", 3)
    for number in range(8):
        write(number)

    reencrypt("--new-data-keys")

    assert not reencryption.values_behind()
    assert texts() == [f"text {number}" for number in range(8)]


@pytest.mark.parametrize("fatal_call", [1, 2, 5, 7])
@pytest.mark.parametrize("step", ["open_sealed", "seal", "_move"])
def test_interrupted_run_is_finished_by_the_next(
    monkeypatch: pytest.MonkeyPatch, step: str, fatal_call: int
) -> None:
    monkeypatch.setattr(reencryption, "BATCH", 3)
    for number in range(7):
        write(number)
    with monkeypatch.context() as patch:
        patch.setattr(reencryption, step, dying_at(fatal_call, getattr(reencryption, step)))
        with pytest.raises(_KilledError):
            reencrypt("--new-data-keys")
    assert texts() == [f"text {number}" for number in range(7)]

    reencrypt()

    assert not reencryption.values_behind()
    assert texts() == [f"text {number}" for number in range(7)]


@pytest.mark.parametrize("fatal_call", [1, 2, 4])
def test_interrupted_rewrapping_leaves_every_key_usable(
    monkeypatch: pytest.MonkeyPatch, fatal_call: int
) -> None:
    with keyring(old=OLD):
        for number in range(4):
            write(number, uuid4())
    with keyring(new=NEW, old=OLD):
        with monkeypatch.context() as patch:
            patch.setattr(DataKey, "binding", dying_at(2 * fatal_call, DataKey.binding))
            with pytest.raises(_KilledError):
                reencrypt()
        datakeys.forget()
        assert texts() == [f"text {number}" for number in range(4)]

        reencrypt("--retire-kek", "old")

    with keyring(new=NEW):
        assert texts() == [f"text {number}" for number in range(4)]


@pytest.mark.django_db(transaction=True)
def test_parallel_runs_move_each_value_once() -> None:
    for number in range(40):
        write(number)
    reencryption.retire_data_keys()
    together = threading.Barrier(3)

    def run() -> int:
        together.wait()
        try:
            return reencryption.move_values().moved
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        moved = [future.result() for future in [pool.submit(run) for _ in range(3)]]

    assert sum(moved) == 40
    assert texts() == [f"text {number}" for number in range(40)]


def test_value_written_meanwhile_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    mail = write(0)
    reencryption.retire_data_keys()
    sealing = reencryption.seal

    def seal_while_another_writes(plaintext: bytes, **place: Any) -> bytes:
        fresh = OutboxMail.objects.get(pk=mail.pk)
        body.put(fresh, body.Body(text="newer", html="newer"))
        fresh.save()
        return sealing(plaintext, **place)

    monkeypatch.setattr(reencryption, "seal", seal_while_another_writes)

    outcome = reencryption.move_values()

    assert (outcome.moved, outcome.broken) == (0, [])
    assert texts() == ["newer"]


def test_broken_value_is_named_kept_and_does_not_stop_the_rest() -> None:
    first, second, third = write(0), write(1), write(2)
    OutboxMail.objects.filter(pk=second.pk).update(body=bytes(first.body))
    out = io.StringIO()

    with pytest.raises(CommandError, match="1 could not be opened"):
        call_command("reencrypt", "--new-data-keys", stdout=out, stderr=out)

    assert f"mail.OutboxMail.body row {second.pk}: changed-or-misplaced" in out.getvalue()
    second.refresh_from_db()
    assert bytes(second.body) == bytes(first.body)
    for mail, text in ((first, "text 0"), (third, "text 2")):
        mail.refresh_from_db()
        assert body.of(mail).text == text


def test_retired_key_is_no_longer_needed() -> None:
    with keyring(old=OLD):
        write(0)

    with keyring(new=NEW, old=OLD):
        said = reencrypt("--retire-kek", "old")

    assert "Nothing needs old." in said
    with keyring(new=NEW):
        assert texts() == ["text 0"]


def test_current_key_is_not_retired() -> None:
    with keyring(old=OLD), pytest.raises(CommandError, match="This is the current key"):
        reencrypt("--retire-kek", "old")


def test_key_that_is_still_referenced_is_not_retired(monkeypatch: pytest.MonkeyPatch) -> None:
    with keyring(old=OLD):
        write(0)
    finish = reencryption.move_values

    def another_process_still_uses_the_old_key() -> Any:
        with keyring(old=OLD):
            write(1, uuid4())
        return finish()

    monkeypatch.setattr(reencryption, "move_values", another_process_still_uses_the_old_key)

    with keyring(new=NEW, old=OLD), pytest.raises(CommandError, match="1 data keys still need old"):
        reencrypt("--retire-kek", "old")


def test_key_that_cannot_be_unwrapped_is_named_and_stays() -> None:
    with keyring(lost=OLD):
        write(0)
    out = io.StringIO()

    with keyring(new=NEW), pytest.raises(CommandError):
        call_command("reencrypt", "--retire-kek", "lost", stdout=out, stderr=out)

    data_key = _rows().get()
    assert f"crypto.DataKey {data_key.public_id}: unknown-key" in out.getvalue()
    assert data_key.kek_id == "lost"
    with keyring(lost=OLD):
        assert texts() == ["text 0"]


def test_removed_key_that_is_needed_fails_the_check_and_every_value() -> None:
    with keyring(old=OLD):
        mail = write(0)

    with keyring(new=NEW):
        (error,) = check_key_ids(None, databases=["default"])
        with pytest.raises(SealedValueError):
            body.of(mail)

    assert error.id == "crypto.E001"
    assert "'old'" in error.msg


def test_check_asks_the_database_only_when_it_may() -> None:
    with keyring(old=OLD):
        write(0)

    with keyring(new=NEW):
        assert check_key_ids(None, databases=None) == []
        with pytest.raises(Exception, match=r"crypto\.E001"):
            call_command("check", databases=["default"])


def test_a_key_that_nobody_knows_is_not_retired() -> None:
    with pytest.raises(CommandError, match="KEYRING holds no key nope"):
        reencrypt("--retire-kek", "nope")

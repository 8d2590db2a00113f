"""Renewal of keys: data keys move to the current key-encryption key, values to the current data key.

Every step is one compare-and-swap that commits by itself. A run can be killed at any line and started
again, and several may run beside one another and beside the portal: a value that changed in between is
left to whoever changed it, and what a run finds done it does not do again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import BinaryField, Func, Q
from django.db.models.functions import Substr

from . import datakeys
from .errors import SealedValueError
from .kms import wrapper
from .models import DataKey
from .registry import SealedColumn, sealed_columns
from .sealing import open_sealed, seal

BATCH = 500


@dataclass(slots=True)
class Outcome:
    """How many were moved, and what could not be opened: names and ids, never values."""

    moved: int = 0
    broken: list[str] = field(default_factory=list)


class _Bytes(Func):
    """The sixteen bytes of a UUID, as they stand in a sealed value."""

    function = "uuid_send"
    output_field = BinaryField()


def _data_keys() -> models.QuerySet[DataKey]:
    return DataKey.objects.using(datakeys.DATABASE)


def rewrap_data_keys() -> Outcome:
    """Wraps every data key, retired ones too, under the current key-encryption key."""
    outcome = Outcome()
    kms = wrapper()
    rows = _data_keys().exclude(kek_id=kms.current_id)
    for row in _in_batches(rows):
        former_id, former = row.kek_id, bytes(row.wrapped)
        try:
            plain = kms.unwrap(former, kek_id=former_id, binding=row.binding(former_id))
        except SealedValueError as error:
            outcome.broken.append(f"crypto.DataKey {row.public_id}: {error.reason}")
            continue
        binding = row.binding(kms.current_id)
        renewed = kms.wrap(plain, kek_id=kms.current_id, binding=binding)
        if kms.unwrap(renewed, kek_id=kms.current_id, binding=binding) != plain:
            outcome.broken.append(f"crypto.DataKey {row.public_id}: not-verified")
            continue
        unchanged = _data_keys().filter(pk=row.pk, kek_id=former_id, wrapped=former)
        outcome.moved += unchanged.update(kek_id=kms.current_id, wrapped=renewed)
    return outcome


def retire_data_keys() -> int:
    """Retires every current data key; the next value of each scope makes a new one."""
    retired = _data_keys().filter(state=DataKey.State.CURRENT).update(state=DataKey.State.RETIRED)
    datakeys.forget()
    return retired


def move_values() -> Outcome:
    """Seals anew every registered value whose data key is not a current one."""
    outcome = Outcome()
    for column in sealed_columns():
        for row in _in_batches(_behind(column)):
            _move(column, row, outcome)
    return outcome


def _move(column: SealedColumn, row: models.Model, outcome: Outcome) -> None:
    former = bytes(getattr(row, column.column))
    try:
        place = column.place_of(row)
        plain = open_sealed(former, place=place)
        renewed = seal(plain, place=place)
        is_verified = open_sealed(renewed, place=place) == plain
    except SealedValueError as error:
        outcome.broken.append(f"{column.model_label}.{column.column} row {row.pk}: {error.reason}")
        return
    if not is_verified:
        outcome.broken.append(f"{column.model_label}.{column.column} row {row.pk}: not-verified")
        return
    unchanged = column.rows().filter(Q(pk=row.pk), **{column.column: former})
    outcome.moved += unchanged.update(**{column.column: renewed})


def values_behind() -> int:
    """How many registered values are not under a current data key."""
    return sum(_behind(column).count() for column in sealed_columns())


def references_to(kek_id: str) -> int:
    """How many data keys need this key-encryption key."""
    return _data_keys().filter(kek_id=kek_id).count()


def key_ids_in_use() -> set[str]:
    """The key-encryption keys that the stored data keys name."""
    return set(_data_keys().values_list("kek_id", flat=True).distinct())


def _behind(column: SealedColumn) -> models.QuerySet[Any]:
    """Rows whose value names another data key than a current one; empty values hold nothing to move."""
    current = DataKey.objects.filter(state=DataKey.State.CURRENT).annotate(key=_Bytes("public_id"))
    rows = column.rows().filter(**{f"{column.column}__isnull": False})
    rows = rows.exclude(**{column.column: b""})
    rows = rows.annotate(named_key=Substr(column.column, 2, 16, output_field=BinaryField()))
    behind: models.QuerySet[Any] = rows.exclude(named_key__in=current.values("key"))
    return behind


def _in_batches(rows: models.QuerySet[Any]) -> Iterator[Any]:
    """Rows by rising primary key, ``BATCH`` at a time; each batch sees what happened before it."""
    last: int | UUID | None = None
    while True:
        ordered = rows.order_by("pk")
        batch = list(ordered.filter(pk__gt=last)[:BATCH] if last is not None else ordered[:BATCH])
        if not batch:
            return
        yield from batch
        last = batch[-1].pk

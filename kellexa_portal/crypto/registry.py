"""The sealed columns of the portal, so that ``reencrypt`` reaches every one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models

from .places import Place


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column that holds sealed values and how the place of a row's value is found."""

    model_label: str
    column: str
    purpose: str
    scope: Callable[[Any], UUID]
    row: Callable[[Any], UUID]

    @property
    def model(self) -> type[models.Model]:
        return apps.get_model(self.model_label)

    def rows(self) -> models.QuerySet[Any]:
        """Every row: one that the default manager hides holds a sealed value too."""
        return self.model._base_manager.all()  # Django's documented name

    def place_of(self, row: models.Model) -> Place:
        """The place that the owner of the column seals for."""
        return Place(
            scope=self.scope(row),
            purpose=self.purpose,
            table=self.model._meta.db_table,  # Django's documented name
            column=self.column,
            row=self.row(row),
        )


_columns: dict[tuple[str, str], SealedColumn] = {}


def register_sealed(
    model_label: str,
    column: str,
    purpose: str,
    *,
    scope: Callable[[Any], UUID],
    row: Callable[[Any], UUID],
) -> None:
    """Names a sealed column; called in the ``ready()`` of the app that owns it.

    The owner seals with ``Place.table`` equal to the model's ``db_table``. ``scope`` and ``row`` take a
    row and give the public ids of its owner and of itself.
    """
    _columns[model_label, column] = SealedColumn(model_label, column, purpose, scope, row)


def sealed_columns() -> list[SealedColumn]:
    """Every registered column, in a stable order."""
    return [_columns[key] for key in sorted(_columns)]

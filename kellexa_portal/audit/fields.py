"""Column types of PostgreSQL that Django has no field for."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class TransactionIdField(models.Field):  # type: ignore[type-arg]  # not subscriptable at run time
    """The full transaction id (``xid8``): 64 bits, so that it never wraps round within a cluster's life."""

    description = "PostgreSQL transaction id"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "xid8"

    def get_prep_value(self, value: Any) -> Any:
        return str(value) if isinstance(value, int) else value

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> int | None:
        return None if value is None else int(value)

    def to_python(self, value: Any) -> Any:
        return int(value) if isinstance(value, str) else value


class CurrentTransactionId(models.Func):
    """The id of the transaction under way, the outermost where there are savepoints."""

    function = "pg_current_xact_id"
    output_field = TransactionIdField()


class NetworkField(models.Field):  # type: ignore[type-arg]  # as above
    """An IP network (``cidr``) as text."""

    description = "IP network"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "cidr"

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> str | None:
        return None if value is None else str(value)

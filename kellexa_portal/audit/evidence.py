"""Append-only tables: which they are, and the triggers that keep them so.

Two walls, each enough by itself: the application's role holds no right to change evidence
(``grants``), and triggers refuse UPDATE, DELETE and TRUNCATE to everybody, the tables' owner included
(attack: an injection, or a hurried person at a database prompt, that rewrites history).
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.migrations.operations import RunSQL

_append_only: set[str] = set()


def append_only(*tables: str) -> None:
    """Declares tables to which the application's role may only add; called in ``AppConfig.ready()``.

    The table's own migrations hold ``ForbidChanges`` beside it; check ``audit.E003`` proves both.
    """
    _append_only.update(tables)


def append_only_tables() -> frozenset[str]:
    """All declared append-only tables."""
    return frozenset(_append_only)


CREATE_REFUSAL = """
CREATE FUNCTION kellexa_refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION '% of % refused: the table is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
"""
DROP_REFUSAL = "DROP FUNCTION kellexa_refuse_change();"


class ForbidChanges(RunSQL):
    """Migration operation that makes ``table`` append-only.

    The trigger is a statement's, so that TRUNCATE and a change of no row are refused alike, and ``ALWAYS``,
    so that ``session_replication_role`` does not switch it off. The migration depends on ``audit.0002``,
    which creates the function.
    """

    def __init__(self, table: str, *, operations: Iterable[str] = ("UPDATE", "DELETE", "TRUNCATE")) -> None:
        self.table = table
        self.operations = tuple(operations)
        super().__init__(
            f"""
            CREATE TRIGGER {table}_append_only BEFORE {" OR ".join(self.operations)} ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION kellexa_refuse_change();
            ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only;
            """,
            f"DROP TRIGGER {table}_append_only ON {table};",
        )

    def deconstruct(self) -> tuple[str, list[object], dict[str, object]]:
        return self.__class__.__name__, [self.table], {"operations": self.operations}

"""What the application's database role may do; set by the owner of the tables after each ``migrate``.

The role that the portal runs under owns nothing: an injection that reaches the database cannot drop a
trigger, and holds no UPDATE, DELETE or TRUNCATE on evidence in the first place (ASVS 13.2.2, least
privilege).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, transaction
from django.db.utils import DEFAULT_DB_ALIAS
from psycopg import sql

from kellexa_portal.audit.evidence import append_only_tables

READ_ONLY_TABLES = frozenset({"django_migrations"})

_ORDINARY = "SELECT, INSERT, UPDATE, DELETE"
_EVIDENCE = "SELECT, INSERT"
_READ_ONLY = "SELECT"


def receive_post_migrate(*, using: str, **kwargs: Any) -> None:
    """Grants once, at the end of ``migrate``, where the application connects as another role."""
    role = application_role()
    if using == DEFAULT_DB_ALIAS and role and role != _current_role(using):
        grant_to(role=role, using=using)


def application_role() -> str:
    """The user name of ``DATABASE_URL``."""
    return str(settings.CONFIG.database.get("USER", ""))


def grant_to(*, role: str, using: str = DEFAULT_DB_ALIAS) -> None:
    """Gives ``role`` exactly what the portal needs on the current role's tables; idempotent.

    Rights that an earlier release gave are taken back first, in the same transaction.
    """
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            raise ImproperlyConfigured(
                "The database role of DATABASE_URL does not exist; create it with "
                "'CREATE ROLE name LOGIN PASSWORD …' and run migrate again."
            )
        cursor.execute(
            "SELECT c.relname, c.relkind = 'S' FROM pg_class c"
            " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')"
            " AND pg_get_userbyid(c.relowner) = current_user ORDER BY c.relname"
        )
        relations = cursor.fetchall()
        for statement in _statements(
            role,
            tables=[name for name, is_sequence in relations if not is_sequence],
            sequences=[name for name, is_sequence in relations if is_sequence],
        ):
            cursor.execute(statement)


def _current_role(using: str) -> str:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])


def _rights(table: str) -> str:
    if table in READ_ONLY_TABLES:
        return _READ_ONLY
    return _EVIDENCE if table in append_only_tables() else _ORDINARY


def _statements(role: str, *, tables: Iterable[str], sequences: Iterable[str]) -> Iterator[str]:
    """The statements as text: names are quoted by psycopg, rights are this module's own words."""
    to = _quoted(role)
    yield "ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM PUBLIC"
    yield "ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC"
    yield f"GRANT USAGE ON SCHEMA public TO {to}"
    for table in tables:
        name = _quoted(table)
        yield f"REVOKE ALL ON TABLE {name} FROM PUBLIC, {to}"
        yield f"GRANT {_rights(table)} ON TABLE {name} TO {to}"
    for sequence in sequences:
        name = _quoted(sequence)
        yield f"REVOKE ALL ON SEQUENCE {name} FROM PUBLIC, {to}"
        yield f"GRANT USAGE, SELECT ON SEQUENCE {name} TO {to}"


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string(None)

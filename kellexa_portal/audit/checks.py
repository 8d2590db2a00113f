"""System checks of the log: no event without a catalogue, no right to change evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import DEFAULT_DB_ALIAS

from kellexa_portal.audit import catalogue
from kellexa_portal.audit.evidence import append_only_tables

_STATE_OF_TABLES = """
    SELECT c.relname,
           pg_get_userbyid(c.relowner) = current_user OR pg_has_role(c.relowner, 'MEMBER') AS owns,
           has_any_column_privilege(c.oid, 'UPDATE')
               OR has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE') AS may_change,
           COALESCE((
               SELECT bit_or(t.tgtype::int) & %s = %s
               FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
               WHERE t.tgrelid = c.oid AND p.proname = 'kellexa_refuse_change' AND t.tgenabled = 'A'
           ), false) AS is_guarded
    FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%s)
    ORDER BY c.relname
"""
_DELETE_UPDATE_TRUNCATE = 8 | 16 | 32  # pg_trigger.tgtype


@register()
def every_catalogue_is_registered(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """``audit.E001``: an event that is declared but unregistered would raise at its first use."""
    return [
        Error(
            f"{declared.__module__}.{declared.__qualname__} is not registered.",
            hint="Call kellexa_portal.audit.catalogue.register() with it in AppConfig.ready().",
            id="audit.E001",
        )
        for declared in catalogue.unregistered()
    ]


@register(Tags.database)
def evidence_is_out_of_reach(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """``audit.E002`` to ``audit.E004``, in production and for the role that serves requests.

    ``migrate`` runs as the owner by design, and development uses one role for both.
    """
    if DEFAULT_DB_ALIAS not in (databases or []) or settings.DEVELOPMENT or settings.CONFIG.acts_as_owner:
        return []
    return list(faults(connections[DEFAULT_DB_ALIAS]))


def faults(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    """What lets ``connection``'s role change evidence; tables that do not exist yet are passed over."""
    with connection.cursor() as cursor:
        mask = _DELETE_UPDATE_TRUNCATE
        cursor.execute(_STATE_OF_TABLES, [mask, mask, sorted(append_only_tables())])
        tables = cursor.fetchall()
    for name, owns, may_change, is_guarded in tables:
        if owns:
            yield Error(
                f"The application's database role owns '{name}' and could drop its protection.",
                hint="Let MIGRATION_DATABASE_URL name the owner, and DATABASE_URL a role without tables.",
                id="audit.E002",
            )
        if may_change:
            yield Error(
                f"The application's database role may change '{name}'.",
                hint="Run migrate as the owner: it grants what is needed and takes back the rest.",
                id="audit.E003",
            )
        if not is_guarded:
            yield Error(
                f"'{name}' has no trigger that refuses changes, or it is switched off.",
                hint="Put evidence.ForbidChanges into a migration of the table's app.",
                id="audit.E004",
            )

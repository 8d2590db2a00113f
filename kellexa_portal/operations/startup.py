"""What a process makes sure of before it serves anybody."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import Tags, run_checks
from django.db import DEFAULT_DB_ALIAS, connections


def check_database(**_signal: Any) -> None:
    """Ends the process if the database lets it change evidence; outside development only.

    ``manage.py check`` runs these checks when asked to; a wrong role would otherwise serve unnoticed.
    No connection stays open: a worker forks after this.
    """
    if settings.DEVELOPMENT:
        return
    try:
        found = run_checks(tags=[Tags.database], databases=[DEFAULT_DB_ALIAS])
    finally:
        connection: Any = connections[DEFAULT_DB_ALIAS]
        if not connection.in_atomic_block:
            connection.close()
            connection.close_pool()
    errors = [str(message) for message in found if message.is_serious()]
    if errors:
        raise SystemExit("\n".join(["The database is not safe to serve from:", *errors]))

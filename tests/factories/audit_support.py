"""Pytest plugin: lets tests write evidence, and removes it after them although nothing else may.

Every database test, marked in whatever way, may use the alias ``independent`` without naming it.

A plain ``django_db`` test runs inside a transaction of ``default`` that is rolled back. What it records
independently is committed for real, so that it is seen on ``default`` at once and survives a rollback
exactly as it does in production; it is removed after the test. A transactional test is flushed; for that
the triggers that refuse TRUNCATE are switched off by the tables' owner, in one transaction with the flush.
Production code has no such door.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections, transaction
from django.db.utils import DEFAULT_DB_ALIAS
from django.test import TestCase, TransactionTestCase

from kellexa_portal.audit import Stream

INDEPENDENT = "independent"
EMPTIED = ("audit_leaf", "audit_personal", "audit_event", "audit_sealer", "ratelimit_counter")

_GUARDED = """
    SELECT format('ALTER TABLE %%s {verb} TRIGGER %%I', t.tgrelid::regclass, t.tgname)
    FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.proname = 'kellexa_refuse_change'
"""


def recorded(stream: Stream) -> list[str]:
    """The names of the events in ``stream``, oldest first."""
    from kellexa_portal.audit.queries import events_of

    return list(events_of(stream).order_by("pk").values_list("name", flat=True))


def pytest_configure(config: pytest.Config) -> None:
    """Teaches Django's test cases about evidence, once a run."""
    if getattr(TransactionTestCase, "admits_evidence", False):
        return
    TransactionTestCase.admits_evidence = True
    TransactionTestCase.databases = frozenset({DEFAULT_DB_ALIAS, INDEPENDENT})
    TransactionTestCase._fixture_teardown = _flushing(TransactionTestCase._fixture_teardown)
    TestCase._databases_names = classmethod(_names_without_mirrors)
    TestCase._fixture_teardown = _removing(TestCase._fixture_teardown)


def _names_without_mirrors(cls: type[TestCase], include_mirrors: bool = True) -> list[str]:
    """Keeps ``TestCase`` from wrapping ``independent`` in a transaction: it commits, as in production."""
    return TransactionTestCase._databases_names.__func__(cls, include_mirrors=False)


def _flushing(teardown: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(teardown)
    def flush(self: Any) -> None:
        with _evidence_unguarded(DEFAULT_DB_ALIAS):
            teardown(self)

    return flush


def _removing(teardown: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(teardown)
    def roll_back_and_remove(self: Any) -> None:
        teardown(self)
        connection = connections[INDEPENDENT]
        if connection.connection is None:
            return
        with _evidence_unguarded(INDEPENDENT), connection.cursor() as cursor:
            for table in EMPTIED:
                cursor.execute(f"DELETE FROM {table}")
        connection.close()

    return roll_back_and_remove


@contextmanager
def _evidence_unguarded(alias: str) -> Iterator[None]:
    """Switches the guards off for the block, as only the owner of the tables can."""
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '10s'; SET CONSTRAINTS ALL IMMEDIATE")
        _each_guard(cursor, "DISABLE")
        yield
        _each_guard(cursor, "ENABLE ALWAYS")


def _each_guard(cursor: Any, verb: str) -> None:
    cursor.execute(_GUARDED.format(verb=verb), [])
    for (statement,) in cursor.fetchall():
        cursor.execute(statement)

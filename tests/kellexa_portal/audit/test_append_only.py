"""Nobody changes evidence: not the application's role, and not the owner of the tables either."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from kellexa_portal.audit import Stream, grants, record
from kellexa_portal.audit.checks import evidence_is_out_of_reach, faults
from kellexa_portal.audit.evidence import append_only_tables
from kellexa_portal.audit.sealing import seal_pending
from kellexa_portal.core import context
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.context import RequestContext
from tests.factories.audit_support import recorded

from .events import SampleEvent

TABLES = ["audit_event", "audit_personal", "audit_leaf", "audit_checkpoint"]
COLUMNS = {
    "audit_event": "name = 'x'",
    "audit_personal": "user_agent = 'x'",
    "audit_leaf": "index = 9",
    "audit_checkpoint": "size = 9",
}


@pytest.fixture
def evidence(transactional_db: None, stream: Stream) -> Stream:
    with context.bound(RequestContext(ip="192.0.2.1")), transaction.atomic():
        record(SampleEvent.DONE, actor=Actor.anonymous(), stream=stream)
    return stream


def statements(table: str) -> list[str]:
    return [
        f"UPDATE {table} SET {COLUMNS[table]}",
        f"UPDATE {table} SET {COLUMNS[table]} WHERE false",
        f"DELETE FROM {table}",
        f"TRUNCATE {table} CASCADE",
    ]


@pytest.mark.parametrize("table", TABLES)
def test_owner_is_refused_by_triggers(table: str, evidence: Stream) -> None:
    for statement in statements(table):
        with pytest.raises(IntegrityError, match="append-only"), connection.cursor() as cursor:
            cursor.execute(statement)

    assert recorded(evidence) == ["sample.thing.done"]


def test_triggers_hold_where_replication_would_switch_ordinary_ones_off(evidence: Stream) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            cursor.execute("DELETE FROM audit_event")

    assert recorded(evidence)


def test_every_table_that_calls_itself_append_only_is_tried_here() -> None:
    assert {table for table in append_only_tables() if table.startswith("audit_")} == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_application_role_may_not_change_evidence(
    table: str, evidence: Stream, application: psycopg.Connection
) -> None:
    for statement in statements(table):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute(statement)


@pytest.mark.parametrize("table", TABLES)
def test_application_role_may_not_take_the_protection_away(
    table: str, application: psycopg.Connection
) -> None:
    for statement in [
        f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only",
        f"ALTER TABLE {table} DISABLE TRIGGER ALL",
        f"DROP TRIGGER {table}_append_only ON {table}",
        f"DROP TABLE {table} CASCADE",
        f"ALTER TABLE {table} RENAME TO gone",
        f"ALTER TABLE {table} OWNER TO CURRENT_USER",
        f"CREATE TRIGGER mine BEFORE INSERT ON {table} EXECUTE FUNCTION kellexa_refuse_change()",
        f"CREATE RULE mine AS ON INSERT TO {table} DO INSTEAD NOTHING",
        "CREATE OR REPLACE FUNCTION kellexa_refuse_change() RETURNS trigger LANGUAGE plpgsql AS ''",
        "DROP FUNCTION kellexa_refuse_change() CASCADE",
        "SET session_replication_role = replica",
        f"DELETE FROM pg_trigger WHERE tgrelid = '{table}'::regclass",
    ]:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute(statement)


def test_application_role_may_add_and_read(evidence: Stream, application: psycopg.Connection) -> None:
    application.execute(
        "INSERT INTO audit_checkpoint (origin, size, root, key_id, signature, at)"
        " VALUES ('log', 1, '', 'k', '', now())"
    )

    assert application.execute("SELECT count(*) FROM audit_event").fetchone() == (1,)


def test_application_role_may_record_and_seal(application_role: str, stream: Stream) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {application_role}")
        with context.bound(RequestContext(ip="192.0.2.1")):
            record(SampleEvent.DONE, actor=Actor.anonymous(), stream=stream)

        assert seal_pending(now=timezone.now()) == 1


def test_application_role_may_do_its_ordinary_work(application: psycopg.Connection) -> None:
    application.execute("INSERT INTO ratelimit_counter VALUES ('k', now())")
    application.execute("UPDATE ratelimit_counter SET whole_at = now()")
    application.execute("DELETE FROM ratelimit_counter")

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        application.execute("TRUNCATE ratelimit_counter")


def test_application_role_may_not_rewrite_the_history_of_migrations(application: psycopg.Connection) -> None:
    assert application.execute("SELECT count(*) FROM django_migrations").fetchone()

    for statement in ("DELETE FROM django_migrations", "UPDATE django_migrations SET name = 'x'"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute(statement)


def test_granting_again_takes_back_what_was_given_by_hand(
    application_role: str, application: psycopg.Connection
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT ALL ON audit_event TO {application_role}")
        cursor.execute("GRANT UPDATE (reason) ON audit_event TO PUBLIC")

    grants.grant_to(role=application_role)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        application.execute("UPDATE audit_event SET reason = 'x'")


def test_migrate_grants_to_the_role_of_the_portal(
    application_role: str, application: psycopg.Connection, settings: Any
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"REVOKE ALL ON audit_event FROM {application_role}")
    settings.CONFIG = replace(settings.CONFIG, database={"USER": application_role})

    call_command("migrate", verbosity=0)

    assert application.execute("SELECT count(*) FROM audit_event").fetchone() == (0,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        application.execute("DELETE FROM audit_event")


@pytest.mark.django_db
def test_role_that_does_not_exist_is_named_as_the_fault() -> None:
    with pytest.raises(ImproperlyConfigured, match="CREATE ROLE"):
        grants.grant_to(role="kellexa_nobody_knows")


@pytest.mark.django_db
def test_check_finds_an_owner_that_serves_requests() -> None:
    found = {fault.id for fault in faults(connection)}

    assert {"audit.E002", "audit.E003"} <= found
    assert "audit.E004" not in found


def test_check_finds_nothing_for_the_application_role(application_role: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {application_role}")
        assert list(faults(connection)) == []


@pytest.mark.parametrize("right", ["UPDATE (reason)", "DELETE", "TRUNCATE"])
def test_check_finds_a_right_given_by_hand(application_role: str, right: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"GRANT {right} ON audit_event TO {application_role}")
        cursor.execute(f"SET LOCAL ROLE {application_role}")
        assert [fault.id for fault in faults(connection)] == ["audit.E003"]


def test_check_finds_a_trigger_that_was_switched_off(application_role: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_leaf DISABLE TRIGGER audit_leaf_append_only")
        cursor.execute(f"SET LOCAL ROLE {application_role}")
        assert [fault.id for fault in faults(connection)] == ["audit.E004"]
        cursor.execute("RESET ROLE")
        cursor.execute("ALTER TABLE audit_leaf ENABLE ALWAYS TRIGGER audit_leaf_append_only")


@pytest.mark.django_db
def test_check_speaks_in_production_only(settings: Any) -> None:
    settings.DEVELOPMENT = False

    assert evidence_is_out_of_reach(None, databases=["default"])
    assert not evidence_is_out_of_reach(None, databases=[])
    settings.DEVELOPMENT = True
    assert not evidence_is_out_of_reach(None, databases=["default"])

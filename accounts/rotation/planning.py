"""Keeps the plan equal to what is right now, in two statements a kind of secret.

One ``INSERT … SELECT`` is what the database does fastest: row by row through the ORM is three hundred
times slower at a million keys, and a crash between two statements leaves a plan that the next run ends.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Model, QuerySet

from accounts.organizations.models import Membership
from accounts.rotation import rules
from accounts.rotation.kinds import SecretKind
from accounts.rotation.models import Reminder, RotationPolicy

TOLD = """
WITH subject AS ({subjects}),
contact AS ({contacts}),
due AS (
    SELECT subject.*,
           LEAST(subject.expires_at,
                 subject.created_at
                 + make_interval(hours => 24 * COALESCE(policy.max_age_days, %(max_age)s))) AS due_at,
           COALESCE(policy.stages, %(stages)s::smallint[]) AS stages
      FROM subject
      LEFT JOIN {policy} policy ON policy.organization_id = subject.organization_id
),
staged AS (
    SELECT due.*,
           (SELECT min(stage)
              FROM unnest(CASE WHEN due.expires_at > %(now)s
                               THEN due.stages || %(overdue)s::smallint[]
                               ELSE due.stages END) AS stage
             WHERE due.due_at - make_interval(hours => 24 * stage) <= %(now)s) AS stage
      FROM due
     WHERE due.due_at <= %(horizon)s
),
owned AS (
    SELECT staged.*, owner.is_active AS has_owner
      FROM staged JOIN {user} owner ON owner.id = staged.owner_id
     WHERE staged.stage IS NOT NULL
),
circle AS (
    SELECT subject_id, organization_id, due_at, stage, owner_id AS user_id FROM owned
    UNION
    SELECT owned.subject_id, owned.organization_id, owned.due_at, owned.stage, contact.user_id
      FROM owned JOIN contact ON contact.subject_id = owned.subject_id
     WHERE owned.stage <= %(contacts_from)s
    UNION
    SELECT owned.subject_id, owned.organization_id, owned.due_at, owned.stage, member.user_id
      FROM owned JOIN {membership} member
        ON member.organization_id = owned.organization_id AND member.role = 'owner'
     WHERE owned.stage <= %(owners_from)s OR NOT owned.has_owner
),
told AS (
    SELECT circle.*
      FROM circle
      JOIN {user} person ON person.id = circle.user_id AND person.is_active
      JOIN {membership} place
        ON place.user_id = circle.user_id AND place.organization_id = circle.organization_id
)
"""

PLAN = """
INSERT INTO {reminder} AS reminder
       (organization_id, subject_kind, subject_id, due_at, stage, recipient_id, channel, state, planned_at)
SELECT organization_id, %(kind)s, subject_id, due_at, stage, user_id, 'mail', 'planned', %(now)s FROM told
ON CONFLICT (subject_kind, subject_id, due_at, stage, recipient_id, channel)
DO UPDATE SET state = 'planned', planned_at = excluded.planned_at WHERE reminder.state = 'dropped'
"""

DROP = """
UPDATE {reminder} AS reminder SET state = 'dropped'
 WHERE reminder.state = 'planned' AND reminder.subject_kind = %(kind)s
   AND NOT EXISTS (SELECT 1 FROM told
                    WHERE told.subject_id = reminder.subject_id AND told.due_at = reminder.due_at
                      AND told.stage = reminder.stage AND told.user_id = reminder.recipient_id)
"""


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _inlined(rows: QuerySet[Any, Any], prefix: str, params: dict[str, Any]) -> str:
    """The SQL of ``rows`` with its parameters moved into ``params`` under names of their own."""
    sql, values = rows.query.sql_with_params()
    names = [f"{prefix}_{at}" for at in range(len(values))]
    params.update(zip(names, values, strict=True))
    return sql % tuple(f"%({name})s" for name in names)


def _statement(kind: SecretKind, body: str, now: datetime) -> tuple[str, dict[str, Any]]:
    params: dict[str, Any] = {
        "kind": kind.name,
        "now": now,
        "horizon": now + timedelta(days=max(rules.STAGES)),
        "max_age": rules.DEFAULT_MAX_AGE_DAYS,
        "stages": list(rules.STAGES),
        "overdue": list(rules.OVERDUE_STAGES),
        "contacts_from": rules.CONTACTS_FROM_STAGE,
        "owners_from": rules.OWNERS_FROM_STAGE,
    }
    sql = (TOLD + body).format(
        subjects=_inlined(kind.subjects(now), "subject", params),
        contacts=_inlined(kind.contacts(), "contact", params),
        policy=_table(RotationPolicy),
        membership=_table(Membership),
        user=_table(get_user_model()),
        reminder=_table(Reminder),
    )
    return sql, params


def plan(kind: SecretKind, *, now: datetime) -> int:
    """Adds what is due and not yet planned; answers how many rows. Running it twice adds nothing."""
    with connection.cursor() as cursor:
        cursor.execute(*_statement(kind, PLAN, now))
        return int(cursor.rowcount)


def drop_stale(kind: SecretKind, *, now: datetime) -> int:
    """Drops planned rows that are no longer right: rotated, revoked, moved or overtaken."""
    with connection.cursor() as cursor:
        cursor.execute(*_statement(kind, DROP, now))
        return int(cursor.rowcount)

"""Writes events. No lock is taken: writers of one organization never queue behind one another."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import DEFAULT_DB_ALIAS
from django.utils import timezone
from psycopg.types.json import Jsonb

from kellexa_portal.audit import catalogue
from kellexa_portal.audit.catalogue import AuditEvent
from kellexa_portal.audit.changes import clean, presentable
from kellexa_portal.audit.leaves import SCHEMA, Body, Personal
from kellexa_portal.audit.values import Outcome, Stream, Target
from kellexa_portal.core import addresses, context
from kellexa_portal.core.actor import Actor, ActorType
from kellexa_portal.core.ids import uuid7

INDEPENDENT = "independent"
SALT_BYTES = 32

_COLUMNS = tuple(field.name for field in fields(Body))
_INSERT_EVENT = f"""
    INSERT INTO audit_event ({", ".join(_COLUMNS)})
    VALUES ({", ".join(["%s"] * len(_COLUMNS))})
"""  # noqa: S608  # the columns are this module's own names
_INSERT_BOTH = f"""
    WITH event AS ({_INSERT_EVENT} RETURNING id)
    INSERT INTO audit_personal (event_id, salt, ip, ip_prefix, user_agent, actor_label)
    SELECT id, %s, %s::inet, %s::cidr, %s, %s FROM event
"""  # noqa: S608  # as above


class NotInTransactionError(RuntimeError):
    """An event was recorded outside the transaction of the change that it is evidence of."""


def record(
    event: AuditEvent,
    *,
    actor: Actor,
    stream: Stream,
    target: Target | None = None,
    outcome: Outcome = Outcome.SUCCESS,
    reason: str = "",
    changes: Mapping[str, object] | None = None,
    on_behalf_of: Actor | None = None,
) -> None:
    """Writes ``event`` in the caller's transaction: the change and its evidence stand or fall together.

    Address, user agent, session, request and authentication come from ``core.context``. ``changes`` is
    redacted and must name people by public id: it is hashed into the log and cannot be erased. ``reason``
    is a short code. Raises ``NotInTransactionError`` outside ``transaction.atomic()`` and
    ``UnknownEventError`` for an event of no catalogue.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if not connection.in_atomic_block:
        raise NotInTransactionError(f"'{event}' must be recorded inside transaction.atomic().")
    body = _body(event, actor, stream, target or Target.NOTHING, outcome, reason, changes, on_behalf_of)
    _insert(connection, body, _personal(actor))


def record_independently(
    event: AuditEvent,
    *,
    actor: Actor,
    stream: Stream,
    target: Target | None = None,
    outcome: Outcome = Outcome.SUCCESS,
    reason: str = "",
    changes: Mapping[str, object] | None = None,
    on_behalf_of: Actor | None = None,
) -> None:
    """Writes ``event`` on a connection and in a transaction of its own: it survives the caller's rollback.

    For denied and failed attempts, whose request raises and rolls back: an attacker must not be able to
    erase the evidence by making the attempt fail. Arguments as for ``record``.

    Tests need nothing for it: the plugin ``tests.factories.audit_support`` admits the alias to every
    database test, lets it commit, and removes after the test what was committed.
    """
    body = _body(event, actor, stream, target or Target.NOTHING, outcome, reason, changes, on_behalf_of)
    with transaction.atomic(using=INDEPENDENT, durable=True):
        _insert(connections[INDEPENDENT], body, _personal(actor))


def _body(
    event: AuditEvent,
    actor: Actor,
    stream: Stream,
    target: Target,
    outcome: Outcome,
    reason: str,
    changes: Mapping[str, object] | None,
    on_behalf_of: Actor | None,
) -> Body:
    now = context.current()
    return Body(
        public_id=uuid7(),
        schema=SCHEMA,
        stream_type=stream.type.value,
        stream_id=stream.id,
        at=timezone.now(),
        name=catalogue.require(event).value,
        outcome=Outcome(outcome).value,
        reason=clean(reason, limit=200),
        actor_type=actor.type.value,
        actor_id=clean(actor.id, limit=100),
        on_behalf_of=clean(f"{on_behalf_of.type}:{on_behalf_of.id}", limit=120) if on_behalf_of else "",
        session_id=clean(now.session_id, limit=64),
        auth_level=now.authentication.level,
        auth_methods=[clean(method, limit=50) for method in now.authentication.methods],
        auth_at=now.authentication.at,
        target_type=clean(target.type, limit=50),
        target_id=clean(target.id, limit=200),
        changes=presentable(changes),
        request_id=clean(now.request_id, limit=64),
        personal_commitment=None,
    )


def _personal(actor: Actor) -> Personal:
    """What the request and the actor say of a person; an address that is none is left out."""
    now = context.current()
    ip, prefix = _address(now.ip)
    return Personal(
        ip=ip,
        ip_prefix=prefix,
        user_agent=clean(now.user_agent, limit=512),
        actor_label=clean(actor.label, limit=200) if actor.type is not ActorType.SYSTEM else "",
    )


def _address(text: str) -> tuple[str, str]:
    """The address and the network that stands for its client, or nothing of what is no address."""
    address = addresses.parse(text)
    return ("", "") if address is None else (str(address), str(addresses.network_of(address)))


def _insert(connection: BaseDatabaseWrapper, body: Body, personal: Personal) -> None:
    """One statement and one round trip for an event and its personal part."""
    with connection.cursor() as cursor:
        if not personal:
            cursor.execute(_INSERT_EVENT, _values(body))
            return
        salt = secrets.token_bytes(SALT_BYTES)
        sealed = replace(body, personal_commitment=personal.commitment(salt))
        beside: list[Any] = [
            salt,
            personal.ip or None,
            personal.ip_prefix or None,
            personal.user_agent,
            personal.actor_label,
        ]
        cursor.execute(_INSERT_BOTH, [*_values(sealed), *beside])


def _values(body: Body) -> list[Any]:
    return [Jsonb(body.changes) if name == "changes" else getattr(body, name) for name in _COLUMNS]

"""Scenes: for each event of the catalogue what a person or a program does that puts it on record, once.

A scene prepares what has to be there before and answers the act itself. Acts go through the pages and
commands of the portal, not through its actions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kellexa_portal.audit import Outcome
from kellexa_portal.audit.catalogue import AuditEvent

Act = Callable[[], object]
Prepare = Callable[[], Act]


@dataclass(frozen=True, slots=True)
class Scene:
    """One way to an event: the outcome that it is recorded with, and in how many logs, once in each."""

    name: str
    event: AuditEvent
    outcome: Outcome
    logs: int
    prepare: Prepare


SCENES: list[Scene] = []


def emits(
    event: AuditEvent, outcome: Outcome = Outcome.SUCCESS, *, logs: int = 1
) -> Callable[[Prepare], Prepare]:
    """Puts the scene below into the table."""

    def add(prepare: Prepare) -> Prepare:
        SCENES.append(Scene(prepare.__name__, event, outcome, logs, prepare))
        return prepare

    return add

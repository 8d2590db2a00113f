"""The closed vocabulary of events. A name that nobody declared cannot be written (ASVS 16.2.2).

Each app declares its own in ``events.py`` and registers them in ``AppConfig.ready()``::

    class KeyEvent(AuditEvent):
        CREATED = "key.created", _("An API key was created.")

    register(KeyEvent)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Self, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise

_NAME = re.compile(r"[a-z]+(\.[a-z_]+){1,3}")

_registered: dict[str, AuditEvent] = {}


class UnknownEventError(LookupError):
    """An event that no catalogue declares; raised before anything is written."""


class AuditEvent(StrEnum):
    """Base of each app's events: the value is the name, ``sentence`` tells a person what happened."""

    sentence: str | Promise

    def __new__(cls, name: str, sentence: str | Promise) -> Self:
        member = str.__new__(cls, name)
        member._value_ = name
        member.sentence = sentence
        return member


Catalogue = TypeVar("Catalogue", bound=type[AuditEvent])


def register(catalogue: Catalogue) -> Catalogue:
    """Admits the events of ``catalogue``; usable as a decorator, harmless when repeated.

    Raises ``ImproperlyConfigured`` for a malformed name, an empty sentence, or a name already taken: two
    apps that share a name would make the log ambiguous for ever.
    """
    if aliases := catalogue.__members__.keys() - {event.name for event in catalogue}:
        raise ImproperlyConfigured(f"{catalogue.__qualname__} repeats a name under {sorted(aliases)}.")
    for event in catalogue:
        if not _NAME.fullmatch(event.value):
            raise ImproperlyConfigured(f"'{event.value}' is no event name; write area.object.verb.")
        if not event.sentence:
            raise ImproperlyConfigured(f"'{event.value}' has no sentence.")
        if _registered.get(event.value, event) is not event:
            raise ImproperlyConfigured(f"'{event.value}' is declared twice.")
    _registered.update({event.value: event for event in catalogue})
    return catalogue


def unregister(catalogue: type[AuditEvent]) -> None:
    """Takes the events of ``catalogue`` out again; for tests that declare their own."""
    for event in catalogue:
        _registered.pop(event.value, None)


def require(event: AuditEvent) -> AuditEvent:
    """``event`` itself, or ``UnknownEventError`` when no registered catalogue holds it."""
    known = _registered.get(str(event))
    if known is None or known is not event:
        raise UnknownEventError(f"'{event}' is not a registered audit event.")
    return known


def find(name: str) -> AuditEvent | None:
    """The event called ``name``, or ``None`` for one that was retired since it was written."""
    return _registered.get(name)


def registered() -> Iterator[AuditEvent]:
    """All known events by name."""
    return (_registered[name] for name in sorted(_registered))


def unregistered() -> Iterator[type[AuditEvent]]:
    """Declared catalogues with an event that was never registered: dead vocabulary, or a bug to come."""
    for catalogue in AuditEvent.__subclasses__():
        if any(_registered.get(event.value) is not event for event in catalogue):
            yield catalogue

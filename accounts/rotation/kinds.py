"""The kinds of secret that rotation knows: each registers once, and no code asks ``if kind ==``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential as a mail names it; never the secret itself."""

    name: str
    masked: str
    detail: str
    url: str
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class SecretKind:
    """How rotation reads one kind of secret.

    ``subjects(now)`` gives rows ``subject_id`` (text), ``organization_id``, ``owner_id``, ``created_at``,
    ``expires_at`` of every credential that somebody has to rotate, or that ended in the last seven days.
    ``contacts()`` gives rows ``subject_id`` (text), ``user_id``. ``describe(ids, now)`` answers for
    those of the ids that ``subjects(now)`` still holds.
    """

    name: str
    label: str | Promise
    subjects: Callable[[datetime], QuerySet[Any, Any]]
    contacts: Callable[[], QuerySet[Any, Any]]
    describe: Callable[[Iterable[str], datetime], Mapping[str, Credential]]


_kinds: dict[str, SecretKind] = {}


def register_kind(kind: SecretKind) -> None:
    """Makes rotation remind of this kind; a second kind of the same name is a programming error."""
    if _kinds.setdefault(kind.name, kind) is not kind:
        raise ValueError(f"the secret kind {kind.name!r} is registered already")


def kinds() -> tuple[SecretKind, ...]:
    """Every registered kind, in the order of registration."""
    return tuple(_kinds.values())


def kind_named(name: str) -> SecretKind | None:
    """The kind of that name, or ``None`` for one that is no longer registered."""
    return _kinds.get(name)

"""Who acts. Every action names one; the system is an actor too and there is no ``None``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class ActorType(StrEnum):
    PERSON = "person"
    STAFF = "staff"
    KEY = "key"
    SYSTEM = "system"
    ANONYMOUS = "anonymous"


class Account(Protocol):
    """The little that an actor needs of a user."""

    @property
    def public_id(self) -> UUID: ...

    @property
    def is_staff(self) -> bool: ...

    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, a key, a part of the system, or nobody yet; copied into evidence by value.

    ``id`` is a public id, never a database key; ``label`` is what people call the actor, kept in the half
    of the evidence that can be erased.
    """

    type: ActorType
    id: str
    label: str = ""

    @classmethod
    def of(cls, account: Account) -> Actor:
        """The actor of a signed-in account, customer or staff."""
        kind = ActorType.STAFF if account.is_staff else ActorType.PERSON
        return cls(kind, str(account.public_id), account.name)

    @classmethod
    def system(cls, part: str) -> Actor:
        """A part of the portal that acts by itself, such as ``rotation``."""
        return cls(ActorType.SYSTEM, part, part)

    @classmethod
    def key(cls, key_id: str) -> Actor:
        """An API key that calls the API."""
        return cls(ActorType.KEY, key_id)

    @classmethod
    def anonymous(cls) -> Actor:
        """Somebody who has not shown who they are."""
        return cls(ActorType.ANONYMOUS, "")

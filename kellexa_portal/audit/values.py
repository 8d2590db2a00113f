"""The small words of an event: its outcome, the stream that it belongs to, and what it was done to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

NOBODY = UUID(int=0)


class Outcome(StrEnum):
    """What became of an attempt. Refusals are evidence too (ASVS 16.3.1, 16.3.2)."""

    SUCCESS = "success"
    FAILURE = "failure"
    DENIED = "denied"


class StreamType(StrEnum):
    """Whose log an event stands in."""

    ORGANIZATION = "organization"
    USER = "user"
    STAFF = "staff"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Stream:
    """One log with its own gapless index: an organization's, a person's, the staff's or the system's.

    ``id`` is the owner's public id, and ``NOBODY`` for the two logs that exist once.
    """

    type: StreamType
    id: UUID

    def __str__(self) -> str:
        return self.type.value if self.id == NOBODY else f"{self.type.value}:{self.id}"

    @classmethod
    def organization(cls, public_id: UUID) -> Stream:
        """The log that an organization's auditors read: keys, members, roles, policy."""
        return cls(StreamType.ORGANIZATION, public_id)

    @classmethod
    def user(cls, public_id: UUID) -> Stream:
        """A person's own log: sign-ins, factors, passwords. No organization reads it."""
        return cls(StreamType.USER, public_id)

    @classmethod
    def staff(cls) -> Stream:
        """What Kellexa's staff did."""
        return cls(StreamType.STAFF, NOBODY)

    @classmethod
    def system(cls) -> Stream:
        """What the portal did by itself, and attempts that concern no known account."""
        return cls(StreamType.SYSTEM, NOBODY)


@dataclass(frozen=True, slots=True)
class Target:
    """What an event was done to: a noun of the domain and its public id, copied by value."""

    type: str
    id: str

    NOTHING: ClassVar[Target]


Target.NOTHING = Target("", "")

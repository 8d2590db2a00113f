"""What is hashed: the canonical form of an event and of its personal part (RFC 6962, section 2.1).

Pure, so that the verifier, which shares no database with the portal, computes the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kellexa_portal.audit.canonical import canonical, instant

SCHEMA = 1
LEAF_PREFIX = b"\x00"
_LONGEST_EXACT_INTEGER = 15  # digits that are certainly below 2**53


def parse_changes(text: str) -> dict[str, object]:
    """The stored changes for hashing; numbers without one exact spelling stay the text that they are.

    ``record`` writes none of those. A row that came by another way must be sealed all the same: one bad
    insert would otherwise stop the sealer for everybody.
    """
    parsed: dict[str, object] = json.loads(text, parse_float=str, parse_int=_exact)
    return parsed


def _exact(digits: str) -> int | str:
    return int(digits) if len(digits.lstrip("-")) <= _LONGEST_EXACT_INTEGER else digits


@dataclass(frozen=True, slots=True)
class Personal:
    """What an event says of a natural person; kept beside the event so that it can be erased."""

    ip: str = ""
    ip_prefix: str = ""
    user_agent: str = ""
    actor_label: str = ""

    def __bool__(self) -> bool:
        return bool(self.ip or self.user_agent or self.actor_label)

    def commitment(self, salt: bytes) -> bytes:
        """Binds the event to these values without holding them.

        The salt keeps the four billion IPv4 addresses from being tried after erasure.
        """
        values = {
            "actor_label": self.actor_label,
            "ip": self.ip,
            "ip_prefix": self.ip_prefix,
            "user_agent": self.user_agent,
        }
        return hashlib.sha256(salt + canonical(values)).digest()


@dataclass(frozen=True, slots=True)
class Body:
    """The fields of an event that its leaf covers, in the types that the database gives back."""

    public_id: UUID
    schema: int
    stream_type: str
    stream_id: UUID
    at: datetime
    name: str
    outcome: str
    reason: str
    actor_type: str
    actor_id: str
    on_behalf_of: str
    session_id: str
    auth_level: int
    auth_methods: list[str]
    auth_at: datetime | None
    target_type: str
    target_id: str
    changes: Mapping[str, object]
    request_id: str
    personal_commitment: bytes | None

    def leaf_hash(self) -> bytes:
        """SHA-256 over 0x00 and the canonical event; the prefix keeps a leaf from posing as a node."""
        return hashlib.sha256(LEAF_PREFIX + canonical(self.as_json())).digest()

    def as_json(self) -> dict[str, object]:
        """The event as the log's readers get it."""
        commitment = self.personal_commitment
        return {
            "id": str(self.public_id),
            "schema": self.schema,
            "stream": {"type": self.stream_type, "id": str(self.stream_id)},
            "at": instant(self.at),
            "name": self.name,
            "outcome": self.outcome,
            "reason": self.reason,
            "actor": {"type": self.actor_type, "id": self.actor_id, "on_behalf_of": self.on_behalf_of},
            "session": self.session_id,
            "authentication": {
                "level": self.auth_level,
                "methods": list(self.auth_methods),
                "at": instant(self.auth_at) if self.auth_at else None,
            },
            "target": {"type": self.target_type, "id": self.target_id},
            "changes": dict(self.changes),
            "request": self.request_id,
            "personal": commitment.hex() if commitment is not None else None,
        }

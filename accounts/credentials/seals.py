"""Binds the columns of a key that authorise to a secret that the database does not hold.

Someone who can write SQL, and nothing else, could otherwise add a scope, drop an address bound, move a
key to another organization, lengthen its life or undo its revocation or suspension. What a seal can't see
is a whole row put back to an earlier state together with its earlier seal: that shows in the audit log.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from accounts.credentials.models import ApiKey
from kellexa_portal.crypto import keyed_hash, matches

PURPOSE = "api-key-seal"


def seal_of(key: ApiKey) -> bytes:
    """The seal that belongs to the key as it is now."""
    return keyed_hash(_canonical(key), purpose=PURPOSE)


def is_intact(key: ApiKey) -> bool:
    """Whether nobody changed a bound column behind the portal's back."""
    return matches(_canonical(key), bytes(key.seal), purpose=PURPOSE)


def _canonical(key: ApiKey) -> bytes:
    """One unambiguous text for one set of values: JSON in a fixed order, instants in UTC.

    The second form, with a suspension, differs in its number, so neither form reads as the other.
    """
    suspension = [] if key.suspended_at is None else [_instant(key.suspended_at)]
    return json.dumps(
        [
            2 if suspension else 1,
            key.key_id,
            bytes(key.hash).hex(),
            key.organization_id,
            key.owner_id,
            str(key.kind),
            str(key.environment),
            list(key.scopes),
            list(key.allowed_networks),
            _instant(key.created_at),
            _instant(key.expires_at),
            _instant(key.revoked_at),
            *suspension,
        ],
        separators=(",", ":"),
    ).encode()


def _instant(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

"""Where a sealed value belongs."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from .framing import frame

SYSTEM_SCOPE = UUID(int=0)
"""The scope of what belongs neither to an organization nor to a person."""

PRODUCT = b"kellexa-portal"


@dataclass(frozen=True, slots=True)
class Place:
    """One column of one row of one owner, for one purpose; a value sealed for it opens nowhere else.

    ``scope`` is the organization's public id, the user's for a personal secret, else ``SYSTEM_SCOPE``;
    ``table`` is the database's name of the table and ``row`` the public id of the row.
    """

    scope: UUID
    purpose: str
    table: str
    column: str
    row: UUID

    def associated_data(self, *, version: int, data_key: UUID) -> bytes:
        """What AES-GCM authenticates beside the ciphertext.

        Without it, write access to the database would be enough to copy a secret whose plaintext one
        knows over a secret that one wants to replace.
        """
        return frame(
            PRODUCT,
            bytes([version]),
            self.scope.bytes,
            self.purpose.encode(),
            self.table.encode(),
            self.column.encode(),
            self.row.bytes,
            data_key.bytes,
        )

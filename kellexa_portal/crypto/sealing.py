"""Sealing and opening: AES-256-GCM under the scope's data key, bound to the place.

A sealed value is ``0x01 | data key id (16) | nonce (12) | ciphertext | tag (16)``.
"""

from __future__ import annotations

import os
from uuid import UUID

from cryptography.exceptions import InvalidTag

from .errors import SealedValueError
from .places import Place

VERSION = 1
_ID_BYTES = 16
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEADER_BYTES = 1 + _ID_BYTES
OVERHEAD = _HEADER_BYTES + _NONCE_BYTES + _TAG_BYTES


def seal(plaintext: bytes, *, place: Place) -> bytes:
    """``plaintext`` encrypted for ``place``; ``OVERHEAD`` bytes longer, and different at each call.

    The data key is made at first need and stays even if the caller rolls back.
    """
    from . import datakeys

    key = datakeys.for_sealing(place.scope, place.purpose)
    nonce = os.urandom(_NONCE_BYTES)
    associated = place.associated_data(version=VERSION, data_key=key.id)
    return bytes([VERSION]) + key.id.bytes + nonce + key.cipher.encrypt(nonce, plaintext, associated)


def open_sealed(sealed: bytes, *, place: Place) -> bytes:
    """The plaintext that was sealed for ``place``.

    Raises ``SealedValueError`` for a value of another row, column, owner or purpose, for a changed byte
    and for an unknown key: never garbage.
    """
    from . import datakeys

    sealed = bytes(sealed)
    key = datakeys.for_opening(data_key_of(sealed))
    if (key.scope, key.purpose) != (place.scope, place.purpose):
        raise SealedValueError("misplaced")
    nonce, ciphertext = sealed[_HEADER_BYTES:][:_NONCE_BYTES], sealed[_HEADER_BYTES + _NONCE_BYTES :]
    associated = place.associated_data(version=VERSION, data_key=key.id)
    try:
        return key.cipher.decrypt(nonce, ciphertext, associated)
    except InvalidTag:
        raise SealedValueError("changed-or-misplaced") from None


def data_key_of(sealed: bytes) -> UUID:
    """The id of the data key that ``sealed`` names. Raises ``SealedValueError`` if it is none of ours."""
    if len(sealed) < OVERHEAD or sealed[0] != VERSION:
        raise SealedValueError("malformed")
    return UUID(bytes=sealed[1:_HEADER_BYTES])

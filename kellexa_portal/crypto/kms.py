"""Key-encryption keys behind one small interface: today a keyring, later a key-management service."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from .errors import SealedValueError, UnknownKeyError

_NONCE_BYTES = 12


class KeyWrapper(Protocol):
    """Wraps data keys; ``binding`` is authenticated with them and has to be given again to unwrap."""

    @property
    def current_id(self) -> str:
        """The id of the key that wraps from now on."""
        ...

    def knows(self, kek_id: str) -> bool:
        """Whether this id can be unwrapped."""
        ...

    def wrap(self, key: bytes, *, kek_id: str, binding: bytes) -> bytes:
        """``key`` under ``kek_id``. Raises ``UnknownKeyError``."""
        ...

    def unwrap(self, wrapped: bytes, *, kek_id: str, binding: bytes) -> bytes:
        """The data key. Raises ``UnknownKeyError``, or ``SealedValueError`` when it was changed."""
        ...


class KeyringWrapper:
    """AES-256-GCM under the keys of ``KEYRING``; a wrapped key is ``nonce12 | ciphertext | tag``."""

    def __init__(self, keyring: Mapping[str, bytes]) -> None:
        self._keyring = keyring

    @property
    def current_id(self) -> str:
        return next(iter(self._keyring))

    def knows(self, kek_id: str) -> bool:
        return kek_id in self._keyring

    def wrap(self, key: bytes, *, kek_id: str, binding: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher(kek_id).encrypt(nonce, key, binding)

    def unwrap(self, wrapped: bytes, *, kek_id: str, binding: bytes) -> bytes:
        cipher = self._cipher(kek_id)
        try:
            return cipher.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], binding)
        except (InvalidTag, ValueError):
            raise SealedValueError("data-key-changed") from None

    def _cipher(self, kek_id: str) -> AESGCM:
        try:
            return AESGCM(self._keyring[kek_id])
        except KeyError:
            raise UnknownKeyError from None


def wrapper() -> KeyWrapper:
    """The configured wrapper."""
    return KeyringWrapper(settings.KEYRING)

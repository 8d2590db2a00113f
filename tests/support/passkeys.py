"""An authenticator in software: real keys, real bytes, and every lie that a thief may try."""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40
ORIGIN = "http://localhost:8000"
HOST = "localhost"

Answer = dict[str, Any]


def encode(raw: bytes) -> str:
    """Base64url without padding, as browsers write it."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes behind ``encode``."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(slots=True)
class SoftPasskey:
    """One discoverable key of one person on one device.

    ``is_synced`` keys may leave the device and never count, as those of password managers; others count up.
    """

    is_synced: bool = False
    count: int = 0
    handle: bytes = b""
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def create(
        self,
        options: dict[str, Any],
        *,
        origin: str = ORIGIN,
        host: str = HOST,
        is_verified: bool = True,
        challenge: bytes | None = None,
        algorithm: int = -7,
        fmt: str = "none",
        client: dict[str, Any] | None = None,
        extensions: dict[str, Any] | None = None,
    ) -> Answer:
        """The answer to ``navigator.credentials.create``; the keywords are lies."""
        self.handle = decode(options["user"]["id"])
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id
        data = self._data(host, is_verified=is_verified, flags=ATTESTED) + attested + self._cose(algorithm)
        attestation = cbor2.dumps({"fmt": fmt, "attStmt": {}, "authData": data})
        return {
            **self._name(),
            "clientExtensionResults": extensions or {"credProps": {"rk": True}},
            "response": {
                "clientDataJSON": self._client("webauthn.create", options, origin, challenge, client),
                "attestationObject": encode(attestation),
                "transports": ["internal", "hybrid", "unheard-of"],
            },
        }

    def get(
        self,
        options: dict[str, Any],
        *,
        origin: str = ORIGIN,
        host: str = HOST,
        is_verified: bool = True,
        challenge: bytes | None = None,
        kind: str = "webauthn.get",
        handle: bytes | None = None,
        signer: SoftPasskey | None = None,
        client: dict[str, Any] | None = None,
    ) -> Answer:
        """The answer to ``navigator.credentials.get``; the keywords are lies."""
        if not self.is_synced:
            self.count += 1
        data = self._data(host, is_verified=is_verified)
        client_data = self._client(kind, options, origin, challenge, client)
        signed = data + hashlib.sha256(decode(client_data)).digest()
        signature = (signer or self).private.sign(signed, ec.ECDSA(hashes.SHA256()))
        return {
            **self._name(),
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": client_data,
                "authenticatorData": encode(data),
                "signature": encode(signature),
                "userHandle": encode(self.handle if handle is None else handle),
            },
        }

    def _name(self) -> Answer:
        name = encode(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "authenticatorAttachment": "platform"}

    def _data(self, host: str, *, is_verified: bool, flags: int = 0) -> bytes:
        flags |= PRESENT | (VERIFIED if is_verified else 0)
        flags |= (ELIGIBLE | BACKED_UP) if self.is_synced else 0
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count)

    def _cose(self, algorithm: int) -> bytes:
        numbers = self.private.public_key().public_numbers()
        return cbor2.dumps(
            {1: 2, 3: algorithm, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        )

    def _client(
        self,
        kind: str,
        options: dict[str, Any],
        origin: str,
        challenge: bytes | None,
        more: dict[str, Any] | None,
    ) -> str:
        said = encode(challenge) if challenge is not None else options["challenge"]
        data = {"type": kind, "challenge": said, "origin": origin, "crossOrigin": False, **(more or {})}
        return encode(json.dumps(data).encode())

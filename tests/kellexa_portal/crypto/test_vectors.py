"""Published vectors: the primitives underneath do what their standards say, and so does our framing."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.test import override_settings

from kellexa_portal.crypto import Place, SealedValueError, keyed_hash
from kellexa_portal.crypto.framing import frame
from kellexa_portal.crypto.hashes import _mac
from kellexa_portal.crypto.kms import KeyringWrapper
from kellexa_portal.env import KeyMap

# McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13 to 16 (AES-256).
GCM_KEY = bytes.fromhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")
GCM_NONCE = bytes.fromhex("cafebabefacedbaddecaf888")
GCM_PLAIN = bytes.fromhex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
)
GCM_AAD = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
GCM_SEALED = bytes.fromhex(
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
    "76fc6ece0f4e1768cddf8853bb2d551b"
)

# RFC 4231, section 4: key, data, HMAC-SHA-256.
RFC_4231 = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
]


def test_aes_gcm_gives_the_published_ciphertext() -> None:
    assert AESGCM(GCM_KEY).encrypt(GCM_NONCE, GCM_PLAIN, GCM_AAD) == GCM_SEALED


@pytest.mark.parametrize("flipped", range(len(GCM_SEALED)))
def test_aes_gcm_refuses_the_published_ciphertext_with_one_bit_changed(flipped: int) -> None:
    changed = bytearray(GCM_SEALED)
    changed[flipped] ^= 1

    with pytest.raises(InvalidTag):
        AESGCM(GCM_KEY).decrypt(GCM_NONCE, bytes(changed), GCM_AAD)


def test_wrapped_key_is_the_published_ciphertext_behind_its_nonce() -> None:
    wrapper = KeyringWrapper(KeyMap({"k1": GCM_KEY}))

    assert wrapper.unwrap(GCM_NONCE + GCM_SEALED, kek_id="k1", binding=GCM_AAD) == GCM_PLAIN
    with pytest.raises(SealedValueError):
        wrapper.unwrap(GCM_NONCE + GCM_SEALED, kek_id="k1", binding=GCM_AAD + b"\0")


@pytest.mark.parametrize(("key", "data", "digest"), RFC_4231)
def test_keyed_hash_rests_on_hmac_of_rfc_4231(key: bytes, data: bytes, digest: str) -> None:
    assert _mac(key, data).hex() == digest


def test_keyed_hash_has_the_documented_layout() -> None:
    pepper = bytes(range(32))
    parts = (b"kellexa-portal/hash", b"api-key", b"value")
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)

    with override_settings(TOKEN_PEPPERS=KeyMap({"p1": pepper})):
        hashed = keyed_hash(b"value", purpose="api-key")

    assert hashed == b"\x02p1" + hmac.new(pepper, message, hashlib.sha256).digest()


def test_associated_data_has_the_documented_layout() -> None:
    place = Place(UUID(int=1), "purpose", "table", "column", UUID(int=2))

    associated = place.associated_data(version=1, data_key=UUID(int=3))

    assert associated.hex() == (
        "0000000e" + b"kellexa-portal".hex() + "00000001" + "01"
        "00000010" + f"{1:032x}" + "00000007" + b"purpose".hex() + "00000005" + b"table".hex()
        + "00000006" + b"column".hex() + "00000010" + f"{2:032x}" + "00000010" + f"{3:032x}"
    )  # fmt: skip


def test_framing_keeps_neighbouring_parts_apart() -> None:
    assert len({frame(b"ab", b"c"), frame(b"a", b"bc"), frame(b"abc"), frame(b"abc", b"")}) == 4

"""Secrets that are key material: their format, their making, and those of a development checkout."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Iterator, Mapping, MutableMapping

from .mode import DEVELOPMENT_SECRETS, state_dir
from .reader import Reader

GENERATED = ("SECRET_KEY", "KEYRING", "TOKEN_PEPPERS", "AUDIT_SIGNING_KEY")
MAKE_ONE = "`python -m kellexa_portal.env` prints a fresh set."

_KEY_BYTES = 32
_KEY_ID = re.compile(r"[a-z0-9-]{1,16}")


class KeyMap(Mapping[str, bytes]):
    """Keys by id, in order of preference: the first is the current one. Its ``repr`` shows ids only."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)

    def __getitem__(self, key_id: str) -> bytes:
        return self._keys[key_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"<KeyMap {', '.join(self._keys)}>"

    @property
    def current_id(self) -> str:
        """The id of the key that new values get."""
        return next(iter(self._keys))


def parse_key(encoded: str) -> bytes | None:
    """The 32 bytes in ``encoded`` base64, or ``None`` for another size or for hardly random bytes.

    Thirty-two random bytes with fewer than sixteen different ones are not seen in practice
    (probability below 2^-60): zeros, a repeated word and a keyboard row are.
    """
    try:
        key = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == _KEY_BYTES and len(set(key)) >= _KEY_BYTES // 2 else None


def read_keys(reader: Reader, name: str) -> KeyMap:
    """``id:base64 of 32 bytes``, comma separated, the current key first."""
    keys: dict[str, bytes] = {}
    for place, item in enumerate(reader.text(name, remedy=MAKE_ONE).split(","), start=1):
        if not item.strip():
            continue
        key_id, _, encoded = item.strip().partition(":")
        key = parse_key(encoded)
        if not _KEY_ID.fullmatch(key_id):
            reader.fault(
                name, f"key {place} has a malformed id; write 1 to 16 of a-z, 0-9 and '-', then ':'."
            )
        elif key_id in keys:
            reader.fault(name, f"key {place} repeats an id; give each key its own.")
        elif key is None:
            reader.fault(name, f"key {place} is not the base64 of 32 random bytes; {MAKE_ONE}")
        else:
            keys[key_id] = key
    return KeyMap(keys)


def read_signing_key(reader: Reader, name: str) -> bytes:
    """The base64 of one 32-byte key without an id."""
    encoded = reader.text(name, remedy=MAKE_ONE)
    key = parse_key(encoded)
    if encoded and key is None:
        reader.fault(name, f"is not the base64 of 32 random bytes; {MAKE_ONE}")
    return key or b""


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def generate_secrets() -> dict[str, str]:
    """A fresh set of the secrets that a person would otherwise have to invent; the ids are random too.

    Random ids make a key that got lost show as an unknown id, not as a value that fails to open.
    """
    return {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "KEYRING": f"k{secrets.token_hex(4)}:{_random_key()}",
        "TOKEN_PEPPERS": f"p{secrets.token_hex(4)}:{_random_key()}",
        "AUDIT_SIGNING_KEY": _random_key(),
    }


def development_secrets(variables: Mapping[str, str]) -> dict[str, str]:
    """What ``make run`` wrote to the state folder for this checkout, or nothing."""
    try:
        text = (state_dir(variables) / DEVELOPMENT_SECRETS).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return {}
    pairs = (line.partition("=") for line in text.splitlines())
    return {name: value for name, _, value in pairs if name in GENERATED and value}


def fill_in_development_secrets(variables: MutableMapping[str, str]) -> None:
    """Gives a development start the secrets it was not given: the checkout's, else fresh ones.

    They are put into ``variables`` so that the processes it starts agree with it.
    """
    known = development_secrets(variables) or generate_secrets()
    for name in GENERATED:
        if name in known and not variables.get(name) and not variables.get(f"{name}_FILE"):
            variables[name] = known[name]

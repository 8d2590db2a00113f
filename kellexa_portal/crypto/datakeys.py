"""Data keys ready for use: made at first need, cached for minutes, counted in blocks.

Rows are read and written on the ``independent`` connection. A key that is made commits at once: were it
part of the caller's transaction, a rollback would leave this process sealing under a key that no longer
exists, and counting would make all sealers of an organization wait for one another.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db.models import F

from .errors import SealedValueError, UnknownKeyError
from .kms import wrapper
from .models import DataKey

DATABASE = "independent"
CAP = 2**30
"""Encryptions under one key. Random 96-bit nonces allow 2^32 (NIST SP 800-38D, 8.3); this keeps distance."""
BLOCK = 256
LIFETIME_SECONDS = 300.0
MOST_CACHED = 2048
_TRIES = 10


@dataclass(frozen=True, slots=True, repr=False)
class ReadyKey:
    """An unwrapped data key and whom it serves; never shown."""

    id: UUID
    scope: UUID
    purpose: str
    cipher: AESGCM
    expires_at: float


@dataclass(slots=True)
class _Turn:
    """The current key of a scope and purpose, and the encryptions reserved and not yet used."""

    key: ReadyKey
    remaining: int


class _Cache:
    """Bounded, for five minutes, the least recently used go first; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: OrderedDict[UUID, ReadyKey] = OrderedDict()
        self._turns: OrderedDict[tuple[UUID, str], _Turn] = OrderedDict()

    def key(self, key_id: UUID) -> ReadyKey | None:
        with self._lock:
            key = self._keys.get(key_id)
            if key is None or key.expires_at <= time.monotonic():
                self._keys.pop(key_id, None)
                return None
            self._keys.move_to_end(key_id)
            return key

    def put(self, key: ReadyKey) -> None:
        with self._lock:
            self._keys[key.id] = key
            while len(self._keys) > MOST_CACHED:
                self._keys.popitem(last=False)

    def spend(self, scope: UUID, purpose: str) -> ReadyKey | None:
        """One reserved encryption, or ``None`` when there is none left or the key is to be read anew."""
        with self._lock:
            turn = self._turns.get((scope, purpose))
            if turn is None or turn.remaining <= 0 or turn.key.expires_at <= time.monotonic():
                self._turns.pop((scope, purpose), None)
                return None
            turn.remaining -= 1
            self._turns.move_to_end((scope, purpose))
            return turn.key

    def reserve(self, key: ReadyKey, encryptions: int) -> None:
        with self._lock:
            self._turns[key.scope, key.purpose] = _Turn(key, encryptions)
            while len(self._turns) > MOST_CACHED:
                self._turns.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._keys.clear()
            self._turns.clear()


_cache = _Cache()


def forget() -> None:
    """Empties the cache; for a database whose rows were replaced under the process."""
    _cache.clear()


def for_sealing(scope: UUID, purpose: str) -> ReadyKey:
    """The current key of ``scope`` and ``purpose``, made if there is none, with one encryption spent.

    Raises ``UnknownKeyError`` when its key-encryption key is not in the keyring.
    """
    key = _cache.spend(scope, purpose)
    if key is not None:
        return key
    for _ in range(_TRIES):
        row = _current(scope, purpose) or _create(scope, purpose)
        if row is not None and _reserve(row):
            key = _ready(row)
            _cache.reserve(key, BLOCK - 1)
            return key
    raise SealedValueError("no-current-key")


def for_opening(key_id: UUID) -> ReadyKey:
    """The key of this id, current or retired. Raises ``UnknownKeyError``."""
    key = _cache.key(key_id)
    if key is not None:
        return key
    row = DataKey.objects.using(DATABASE).filter(public_id=key_id).first()
    if row is None:
        raise UnknownKeyError
    return _ready(row)


def _ready(row: DataKey) -> ReadyKey:
    known = _cache.key(row.public_id)
    if known is not None:
        return known
    plain = wrapper().unwrap(bytes(row.wrapped), kek_id=row.kek_id, binding=row.binding(row.kek_id))
    key = ReadyKey(row.public_id, row.scope, row.purpose, AESGCM(plain), time.monotonic() + LIFETIME_SECONDS)
    _cache.put(key)
    return key


def _current(scope: UUID, purpose: str) -> DataKey | None:
    rows = DataKey.objects.using(DATABASE)
    return rows.filter(scope=scope, purpose=purpose, state=DataKey.State.CURRENT).first()


def _create(scope: UUID, purpose: str) -> DataKey | None:
    """A new current key, or the one that another process made in the same moment."""
    kms = wrapper()
    row = DataKey(scope=scope, purpose=purpose, kek_id=kms.current_id)
    plain = AESGCM.generate_key(bit_length=256)
    row.wrapped = kms.wrap(plain, kek_id=row.kek_id, binding=row.binding(row.kek_id))
    DataKey.objects.using(DATABASE).bulk_create([row], ignore_conflicts=True)
    return _current(scope, purpose)


def _reserve(row: DataKey) -> bool:
    """Counts one block against the cap; a key that has reached it retires."""
    current = DataKey.objects.using(DATABASE).filter(pk=row.pk, state=DataKey.State.CURRENT)
    if current.filter(encryptions__lte=CAP - BLOCK).update(encryptions=F("encryptions") + BLOCK):
        return True
    current.filter(encryptions__gt=CAP - BLOCK).update(state=DataKey.State.RETIRED)
    return False

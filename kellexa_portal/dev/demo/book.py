"""The demo's secrets, made at the first run and kept under ``var/``; they never exist elsewhere."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kellexa_portal.dev.state import write_private


@dataclass
class Book:
    """What the database holds only as hashes: passwords and seeds by e-mail, tokens by name."""

    passwords: dict[str, str] = field(default_factory=dict)
    seeds: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def password_of(self, email: str) -> str:
        return self.passwords.setdefault(email, f"demo-{secrets.token_urlsafe(15)}")

    def seed_of(self, email: str) -> bytes:
        """The seed of the person's authenticator app: 20 bytes."""
        text = self.seeds.setdefault(email, base64.b32encode(secrets.token_bytes(20)).decode())
        return base64.b32decode(text)


@contextmanager
def opened(path: Path) -> Iterator[Book]:
    """The book, written back when the block ends well.

    Opened inside the transaction: what it holds too much after a failed commit is used by the next run.
    """
    book = Book(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else Book()
    yield book
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(path, json.dumps(asdict(book), indent=2))

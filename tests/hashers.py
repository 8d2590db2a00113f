"""Argon2id with the smallest cost, so that a suite of sign-ins takes seconds; and one that counts."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2PasswordHasher(Argon2PasswordHasher):
    """The production hasher but for its cost; same algorithm, same encoding."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1


class CountingArgon2PasswordHasher(Argon2PasswordHasher):
    """OWASP's least cost (19 MiB, two passes, one lane), counting how often it was paid."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
    computed: ClassVar[int] = 0

    def encode(self, *args: Any, **kwargs: Any) -> str:
        type(self).computed += 1
        return super().encode(*args, **kwargs)

    def verify(self, *args: Any, **kwargs: Any) -> bool:
        type(self).computed += 1
        return super().verify(*args, **kwargs)

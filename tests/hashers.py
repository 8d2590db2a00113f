"""Argon2id with the smallest cost, so that a suite of sign-ins takes seconds."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2PasswordHasher(Argon2PasswordHasher):
    """The production hasher but for its cost; same algorithm, same encoding."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1

"""Data keys, wrapped."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone

from .framing import frame


class DataKey(models.Model):
    """The key of one scope for one purpose, wrapped by a key-encryption key that is not in the database.

    At most one is current for a scope and purpose; former ones stay as long as values need them.
    """

    class State(models.TextChoices):
        CURRENT = "current"
        RETIRED = "retired"

    public_id = models.UUIDField(default=uuid.uuid4, editable=False)
    scope = models.UUIDField()
    purpose = models.CharField(max_length=64)
    kek_id = models.CharField(max_length=16, db_index=True)
    wrapped = models.BinaryField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.CURRENT)
    encryptions = models.BigIntegerField(
        default=0, help_text="Encryptions handed out so far, in blocks: never fewer than were made."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="crypto_datakey_public_id"),
            models.UniqueConstraint(
                fields=["scope", "purpose"],
                condition=models.Q(state="current"),
                name="crypto_datakey_one_current",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["current", "retired"]), name="crypto_datakey_state"
            ),
            models.CheckConstraint(condition=models.Q(encryptions__gte=0), name="crypto_datakey_encryptions"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    def binding(self, kek_id: str) -> bytes:
        """What the wrapping authenticates: a wrapped key moved to another row or owner does not unwrap."""
        return frame(
            b"kellexa-portal/data-key",
            self.public_id.bytes,
            self.scope.bytes,
            self.purpose.encode(),
            kek_id.encode(),
        )

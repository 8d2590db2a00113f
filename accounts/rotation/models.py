"""What an organization wants rotated by when, and who has been told."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.organizations.models import Organization
from accounts.rotation import rules
from kellexa_portal.core.ids import uuid7


def default_stages() -> list[int]:
    return list(rules.STAGES)


class RotationPolicy(models.Model):
    """How old a credential of an organization may grow, and how many days before that people are told."""

    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="+")
    max_age_days = models.PositiveSmallIntegerField(
        _("rotate at least every"), default=rules.DEFAULT_MAX_AGE_DAYS
    )
    stages = ArrayField(models.SmallIntegerField(), default=default_stages)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("rotation policy")
        verbose_name_plural = _("rotation policies")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(max_age_days__gte=1, max_age_days__lte=365),
                name="rotation_policy_max_age",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    stages__contains=list(rules.MANDATORY_STAGES), stages__contained_by=list(rules.STAGES)
                ),
                name="rotation_policy_stages",
            ),
        ]

    def __str__(self) -> str:
        return f"rotation policy {self.pk}"


class Digest(models.Model):
    """One mail that gathers a person's reminders; at most one ordinary digest a person a local day."""

    class Kind(models.TextChoices):
        DAILY = "daily", _("Daily")
        URGENT = "urgent", _("Urgent")

    public_id = models.UUIDField(default=uuid7, editable=False)
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    local_date = models.DateField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="rotation_digest_public_id"),
            models.UniqueConstraint(
                fields=["recipient", "local_date"],
                condition=models.Q(kind="daily"),
                name="rotation_digest_one_a_day",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["daily", "urgent"]), name="rotation_digest_kind"
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class Reminder(models.Model):
    """That one person is to be told of one stage of one credential, once.

    ``due_at`` is the generation: rotating a key, changing its expiry or the policy moves the instant and
    so begins a new plan, while an edit that moves nothing tells nobody twice.
    """

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        SENT = "sent", _("Sent")
        DROPPED = "dropped", _("Dropped")

    class Channel(models.TextChoices):
        MAIL = "mail", _("Mail")

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    subject_kind = models.CharField(max_length=24)
    subject_id = models.CharField(max_length=64)
    due_at = models.DateTimeField()
    stage = models.SmallIntegerField()
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=8, choices=Channel.choices, default=Channel.MAIL)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PLANNED)
    digest = models.ForeignKey(
        Digest, on_delete=models.PROTECT, null=True, blank=True, related_name="reminders"
    )
    planned_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id", "due_at", "stage", "recipient", "channel"],
                name="rotation_reminder_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["planned", "sent", "dropped"]), name="rotation_reminder_state"
            ),
            models.CheckConstraint(
                condition=models.Q(state="sent", digest__isnull=False) | ~models.Q(state="sent"),
                name="rotation_reminder_sent_has_digest",
            ),
            models.CheckConstraint(
                condition=models.Q(channel__in=["mail"]), name="rotation_reminder_channel"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["recipient", "stage"],
                condition=models.Q(state="planned"),
                name="rotation_reminder_planned",
            ),
        ]

    def __str__(self) -> str:
        return f"reminder {self.pk}"

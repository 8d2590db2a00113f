"""The outbox: one row a mail, from the business change to the last answer of the server."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kellexa_portal.core.ids import uuid7

MAX_ERROR = 500


class OutboxMailQuerySet(models.QuerySet["OutboxMail"]):
    """Questions about the outbox."""

    def due(self, now: datetime) -> OutboxMailQuerySet:
        """Waiting mails whose time has come."""
        return self.filter(state=OutboxMail.State.PENDING, due_at__lte=now)

    def abandoned(self, now: datetime) -> OutboxMailQuerySet:
        """Mails whose worker died or hung: held, and the lease is over."""
        return self.filter(state__in=OutboxMail.HELD, leased_until__lte=now)

    def held_by(self, token: UUID) -> OutboxMailQuerySet:
        """The mail that the holder of ``token`` may still write to; empty once another took it over."""
        return self.filter(lease_token=token, state__in=OutboxMail.HELD)


class OutboxMail(models.Model):
    """A mail on its way, never changed in content once written.

    ``leased`` means that a worker holds it and nothing has reached a server; ``sending``, committed just
    before the mail's last byte, that a death of the worker leaves its fate unknown (ADR 0006). The body is
    sealed, for it holds links that act for the person, and is gone once the mail is sent or its day over.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        LEASED = "leased", _("taken by a worker")
        SENDING = "sending", _("being handed over")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")

    HELD: ClassVar[tuple[str, ...]] = (State.LEASED, State.SENDING)
    OPEN: ClassVar[tuple[str, ...]] = (State.PENDING, *HELD)

    public_id = models.UUIDField(default=uuid7, editable=False)
    kind = models.CharField(_("kind"), max_length=80)
    person = models.UUIDField(_("person"), null=True, blank=True)
    recipient = models.CharField(_("recipient"), max_length=254)
    subject = models.CharField(_("subject"), max_length=200)
    headers = models.JSONField(_("headers"), default=dict)
    body = models.BinaryField(_("body"), null=True)
    dedupe_key = models.CharField(max_length=200)
    message_id = models.CharField(_("Message-ID"), max_length=320)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    due_at = models.DateTimeField(_("due"), default=timezone.now)
    lease_token = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=MAX_ERROR, blank=True, default="")
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = OutboxMailQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("outbox")
        default_permissions = ("view",)
        permissions = (("retry_outboxmail", "Can order another try of a failed mail"),)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="mail_outboxmail_public_id"),
            models.UniqueConstraint(fields=["dedupe_key"], name="mail_outboxmail_dedupe_key"),
            models.UniqueConstraint(fields=["message_id"], name="mail_outboxmail_message_id"),
            models.CheckConstraint(
                condition=Q(state__in=("pending", "leased", "sending", "sent", "failed")),
                name="mail_outbox_state_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=("leased", "sending"), lease_token__isnull=False, leased_until__isnull=False
                )
                | Q(
                    state__in=("pending", "sent", "failed"),
                    lease_token__isnull=True,
                    leased_until__isnull=True,
                ),
                name="mail_outbox_lease_iff_held",
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False, body__isnull=True)
                | Q(state="failed", sent_at__isnull=True)
                | Q(state__in=("pending", "leased", "sending"), sent_at__isnull=True, body__isnull=False),
                name="mail_outbox_body_while_open",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["due_at"], condition=Q(state="pending"), name="mail_outbox_due"),
            models.Index(
                fields=["leased_until"], condition=Q(state__in=("leased", "sending")), name="mail_outbox_held"
            ),
            models.Index(
                fields=["created_at"], condition=Q(state__in=("sent", "failed")), name="mail_outbox_closed"
            ),
            models.Index(
                fields=["created_at"],
                condition=Q(state="failed", body__isnull=False),
                name="mail_outbox_failed_body",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

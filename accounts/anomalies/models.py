"""What the rules found, and how far the sweep has read."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kellexa_portal.audit.fields import TransactionIdField
from kellexa_portal.core.ids import uuid7


class Anomaly(models.Model):
    """One finding of one rule, and what was done about it; one row a rule, subject and window.

    ``subject`` is what the rule counts: the public id of a session or of a person, a network, or
    ``rules.EVERYWHERE``. ``window`` is the start of the period, or the session's own start.
    ``session_id_shown`` outlives the session's row. ``facts`` hold numbers and places, never a secret.
    """

    class Rule(models.TextChoices):
        TRAVEL = "travel", _("Impossible travel")
        STUFFING = "stuffing", _("Many accounts tried")
        AFTER_FAILURES = "after_failures", _("Success after failures")
        MFA_GUESS = "mfa_guess", _("Codes guessed after the password")
        DRIFT = "drift", _("Session changed browser and network")
        DORMANT = "dormant", _("Sign-in after a long time")
        TAKEOVER = "takeover", _("Chain of changes after a new device")

    class Action(models.TextChoices):
        PROOF = "proof", _("Mail, and a factor asked for again")
        TOLD = "told", _("Mail")
        CHALLENGED = "challenged", _("Narrower budget for unknown browsers")
        ENDED = "ended", _("Mail, and the session ended")
        QUARANTINED = "quarantined", _("Mail, and quarantine")

    public_id = models.UUIDField(default=uuid7, editable=False)
    rule = models.CharField(_("rule"), max_length=16, choices=Rule.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
    )
    session_id_shown = models.UUIDField(_("session"), null=True, blank=True)
    subject = models.CharField(_("counted for"), max_length=64)
    window = models.DateTimeField(_("period from"))
    at = models.DateTimeField(_("time"))
    found_at = models.DateTimeField(_("found"), default=timezone.now, editable=False)
    facts = models.JSONField(_("facts"), default=dict)
    action = models.CharField(_("action"), max_length=16, choices=Action.choices)

    class Meta:
        verbose_name = _("anomaly")
        verbose_name_plural = _("anomalies")
        default_permissions = ("view",)
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["rule", "subject", "at"], name="anomalies_of_subject"),
            models.Index(fields=["user", "at"], name="anomalies_of_person"),
            models.Index(fields=["at"], name="anomalies_at"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="anomalies_anomaly_public_id"),
            models.UniqueConstraint(fields=["rule", "subject", "window"], name="anomalies_anomaly_once"),
            models.CheckConstraint(
                condition=Q(
                    rule__in=[
                        "travel",
                        "stuffing",
                        "after_failures",
                        "mfa_guess",
                        "drift",
                        "dormant",
                        "takeover",
                    ]
                ),
                name="anomalies_anomaly_rule",
            ),
            models.CheckConstraint(
                condition=Q(action__in=["proof", "told", "challenged", "ended", "quarantined"]),
                name="anomalies_anomaly_action",
            ),
            models.CheckConstraint(
                condition=Q(rule="stuffing", user=None) | (~Q(rule="stuffing") & Q(user__isnull=False)),
                name="anomalies_anomaly_person",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class Progress(models.Model):
    """How far the sweep has read; one row. Losing it costs an hour's reading again, never an anomaly twice.

    ``read_through``: every event of a transaction older than this was looked at. ``cluster``: the database
    cluster whose transaction ids these are, for they mean nothing in another.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    read_through = TransactionIdField(null=True)
    cluster = models.TextField(default="")

    class Meta:
        default_permissions = ()
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(id=1), name="anomalies_progress_one_row"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

"""The lock-down of an account, and the mailed links that begin one."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.identity.models import LinkQuerySet
from kellexa_portal.audit.catalogue import find
from kellexa_portal.core.ids import uuid7


class LockdownQuerySet(models.QuerySet["Lockdown"]):
    """Questions about lock-downs."""

    def unlifted(self) -> LockdownQuerySet:
        """Lock-downs that still hold."""
        return self.filter(lifted_at=None)


class Lockdown(models.Model):
    """One time that an account was locked down, from the alarm to the person's return.

    It is also the case that staff look into: ``case_closed_at`` is theirs and lets nobody in, while
    ``lifted_at`` is the person's own. ``event`` names the audit event that was disowned, if one was.
    """

    class Cause(models.TextChoices):
        MAIL_LINK = "mail_link", _("“This wasn’t me” in a mail")
        PAGE = "page", _("By the person, signed in")
        STAFF = "staff", _("By staff")

    public_id = models.UUIDField(default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    cause = models.CharField(_("cause"), max_length=16, choices=Cause.choices)
    event = models.CharField(_("disowned event"), max_length=80, blank=True, default="")
    started_at = models.DateTimeField(_("locked down"), default=timezone.now)
    repeated_at = models.DateTimeField(_("last locked again"), null=True, blank=True)
    sessions_ended = models.PositiveIntegerField(_("sessions ended"), default=0)
    keys_suspended = models.PositiveIntegerField(_("keys suspended"), default=0)
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    case_closed_at = models.DateTimeField(_("case closed"), null=True, blank=True)
    case_closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = LockdownQuerySet.as_manager()

    class Meta:
        verbose_name = _("lock-down")
        verbose_name_plural = _("lock-downs")
        default_permissions = ("view",)
        permissions = (
            ("begin_lockdown", "Can lock an account down"),
            ("close_case", "Can close the case of a lock-down"),
        )
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "started_at"], name="lockdown_of_person"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="lockdown_lockdown_public_id"),
            models.UniqueConstraint(
                fields=["user"], condition=Q(lifted_at=None), name="lockdown_one_a_person"
            ),
            models.CheckConstraint(
                condition=Q(cause__in=["mail_link", "page", "staff"]), name="lockdown_lockdown_cause"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None)
                | Q(lifted_at__gte=F("started_at"), lifted_by__isnull=False),
                name="lockdown_lifted_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(case_closed_at=None, case_closed_by=None)
                | Q(case_closed_at__gte=F("started_at"), case_closed_by__isnull=False),
                name="lockdown_closed_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def sentence(self) -> str | Promise:
        """What was disowned, for a person; empty where nothing in particular was."""
        return sentence_of(self.event)


class DisavowalLink(models.Model):
    """The single-use link of one notice: its bearer may lock down this one account, and nothing else.

    It outlives the epoch on purpose: the very change that it disowns raised it.
    """

    public_id = models.UUIDField(default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    event = models.CharField(max_length=80)
    token_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)

    objects = LinkQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["expires_at"], name="lockdown_link_expires"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="lockdown_link_public_id"),
            models.UniqueConstraint(fields=["token_hash"], name="lockdown_link_token_hash"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="lockdown_link_lifetime"
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def sentence(self) -> str | Promise:
        """What the notice told."""
        return sentence_of(self.event)


def sentence_of(name: str) -> str | Promise:
    """What the audit event called ``name`` says to a person; empty for one that no app declares any more."""
    event = find(name)
    return event.sentence if event is not None else ""

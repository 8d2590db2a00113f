"""The recovery of an account, from the first word of staff to the person's return."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.recovery import rules
from kellexa_portal.core.ids import uuid7

UNFINISHED = ("open", "waiting", "ready")


class RecoveryCaseQuerySet(models.QuerySet["RecoveryCase"]):
    """Questions about recoveries."""

    def unfinished(self) -> RecoveryCaseQuerySet:
        """Cases that may still lead to a recovery, by what is written."""
        return self.filter(state__in=UNFINISHED)

    def due(self, now: datetime) -> RecoveryCaseQuerySet:
        """Cases that the clock has moved on and no sweep has met yet."""
        return self.filter(
            Q(state="open", started_at__lte=now - rules.OPEN_LIFETIME)
            | Q(state="waiting", waits_until__lte=now)
            | Q(state="ready", ready_at__lte=now - rules.LINK_LIFETIME)
        )


class RecoveryCase(models.Model):
    """One recovery of one account: who asked, who approved, when the way opens, how it ended.

    The three members of the staff are distinct from each other and from the person; the database refuses
    anything else, and a wait shorter than ``rules.WAIT`` too. ``link_hash`` stands behind the one link that
    ends the case, which only the account's own address gets. ``returned_at`` is the first sign-in since.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Waits for approvals")
        WAITING = "waiting", _("Approved, waits")
        READY = "ready", _("Link mailed")
        USED = "used", _("Recovered")
        CANCELLED = "cancelled", _("Cancelled")
        REFUSED = "refused", _("Refused")
        EXPIRED = "expired", _("Ran out of time")

    class Cause(models.TextChoices):
        NONE = "", ""
        LINK = "link", _("Cancelled by a link in a mail")
        OWNER = "owner", _("Cancelled by the person, signed in")
        STAFF = "staff", _("Refused by staff")
        ALARM = "alarm", _("The account was locked down meanwhile")
        ADDRESS = "address", _("The address of the account changed meanwhile")
        STANDING = "standing", _("Somebody who asked or approved no longer may")
        INACTIVE = "inactive", _("The account was deactivated meanwhile")
        TIME = "time", _("It was not approved, or its link not used, in time")

    public_id = models.UUIDField(default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.OPEN)
    evidence = models.TextField(_("how the person was recognised"), max_length=rules.MAX_EVIDENCE)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    first_approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    first_approved_at = models.DateTimeField(_("first approved"), null=True, blank=True)
    second_approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    second_approved_at = models.DateTimeField(_("approved again"), null=True, blank=True)
    waits_until = models.DateTimeField(_("waits until"), null=True, blank=True)
    ready_at = models.DateTimeField(_("link mailed"), null=True, blank=True)
    link_hash = models.BinaryField(max_length=32, null=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    cause = models.CharField(_("why it ended"), max_length=16, choices=Cause.choices, blank=True, default="")
    returned_at = models.DateTimeField(_("signed in again"), null=True, blank=True)

    objects = RecoveryCaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("recovery")
        verbose_name_plural = _("recoveries")
        default_permissions = ("view",)
        permissions = (
            ("start_recovery", "Can ask to recover an account"),
            ("approve_recovery", "Can approve a recovery that others asked for"),
            ("stop_recovery", "Can refuse a recovery"),
        )
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "started_at"], name="recovery_of_person"),
            models.Index(
                fields=["state", "waits_until"],
                condition=Q(state__in=UNFINISHED),
                name="recovery_due",
            ),
            models.Index(
                fields=["user"],
                condition=Q(state="used", returned_at=None),
                name="recovery_not_returned",
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="recovery_case_public_id"),
            models.UniqueConstraint(fields=["link_hash"], name="recovery_case_link_hash"),
            models.UniqueConstraint(
                fields=["user"], condition=Q(state__in=UNFINISHED), name="recovery_one_a_person"
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["open", "waiting", "ready", "used", "cancelled", "refused", "expired"]
                ),
                name="recovery_case_state",
            ),
            models.CheckConstraint(
                condition=Q(
                    cause__in=[
                        "",
                        "link",
                        "owner",
                        "staff",
                        "alarm",
                        "address",
                        "standing",
                        "inactive",
                        "time",
                    ]
                ),
                name="recovery_case_cause",
            ),
            models.CheckConstraint(condition=~Q(evidence=""), name="recovery_evidence_is_there"),
            models.CheckConstraint(condition=~Q(started_by=F("user")), name="recovery_starter_is_another"),
            models.CheckConstraint(
                condition=Q(first_approver=None, first_approved_at=None)
                | (
                    Q(first_approver__isnull=False, first_approved_at__isnull=False)
                    & ~Q(first_approver=F("user"))
                    & ~Q(first_approver=F("started_by"))
                ),
                name="recovery_first_approver_is_another",
            ),
            models.CheckConstraint(
                condition=Q(second_approver=None, second_approved_at=None, waits_until=None)
                | (
                    Q(
                        second_approver__isnull=False,
                        first_approver__isnull=False,
                        second_approved_at__isnull=False,
                        waits_until__isnull=False,
                    )
                    & ~Q(second_approver=F("user"))
                    & ~Q(second_approver=F("started_by"))
                    & ~Q(second_approver=F("first_approver"))
                ),
                name="recovery_second_approver_is_another",
            ),
            models.CheckConstraint(
                condition=Q(waits_until=None) | Q(waits_until__gte=F("second_approved_at") + rules.WAIT),
                name="recovery_wait_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(ready_at=None, link_hash=None)
                | Q(ready_at__gte=F("waits_until"), waits_until__isnull=False, link_hash__isnull=False),
                name="recovery_no_link_before_its_time",
            ),
            models.CheckConstraint(
                condition=Q(state="open", second_approver=None)
                | Q(state="waiting", second_approver__isnull=False, ready_at=None)
                | Q(state="ready", ready_at__isnull=False)
                | Q(state="used", ready_at__isnull=False, ended_at__gte=F("waits_until"))
                | Q(state__in=["cancelled", "refused", "expired"]),
                name="recovery_steps_in_order",
            ),
            models.CheckConstraint(
                condition=Q(state__in=UNFINISHED, ended_at=None, ended_by=None, cause="")
                | Q(state="used", ended_at__isnull=False, ended_by=None, cause="")
                | (Q(state__in=["cancelled", "refused", "expired"], ended_at__isnull=False) & ~Q(cause="")),
                name="recovery_end_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(returned_at=None) | Q(state="used"), name="recovery_return_after_use"
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def is_unfinished(self) -> bool:
        """Whether the case may still lead to a recovery, by what is written."""
        return self.state in UNFINISHED

    @property
    def approvals(self) -> int:
        """How many of the two approvals it has."""
        return sum(approver is not None for approver in (self.first_approver_id, self.second_approver_id))

    @property
    def link_until(self) -> datetime | None:
        """When the mailed link stops working; ``None`` while there is none."""
        return self.ready_at + rules.LINK_LIFETIME if self.ready_at is not None else None

    def is_expired(self, now: datetime) -> bool:
        """Whether the clock has ended the case, whether or not a sweep has written it down."""
        return (
            self.state == self.State.EXPIRED
            or (
                self.state == self.State.OPEN and rules.is_over(self.started_at, rules.OPEN_LIFETIME, now=now)
            )
            or (self.state == self.State.READY and rules.is_over(self.ready_at, rules.LINK_LIFETIME, now=now))
        )


class CancelLink(models.Model):
    """The link of one mail to one address: its bearer may cancel this one recovery, and nothing else."""

    case = models.ForeignKey(RecoveryCase, on_delete=models.CASCADE, related_name="+")
    token_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        default_permissions = ()
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["token_hash"], name="recovery_cancel_link_token_hash"),
        ]

    def __str__(self) -> str:
        return f"cancel link {self.pk}"

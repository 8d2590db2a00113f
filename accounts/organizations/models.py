"""Customer organizations, the people in them, whom they invite, and what they ask of a sign-in."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identity.rules import ADDRESS_PATTERN, MAX_EMAIL_LENGTH, canonical_email
from accounts.organizations import rules
from kellexa_portal.core.ids import uuid7


class Organization(models.Model):
    """A customer. ``public_id`` is the scope of its data keys, of its audit stream and of its URLs."""

    class Kind(models.TextChoices):
        CUSTOMER = "customer", _("Customer")
        PLATFORM = "platform", _("Kellexa's own platform")

    public_id = models.UUIDField(default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.CUSTOMER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="organizations_organization_public_id"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["customer", "platform"]), name="organizations_organization_kind"
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class Membership(models.Model):
    """One person's place in one organization. What a role may do is code: see ``access``."""

    class Role(models.TextChoices):
        OWNER = "owner", _("Owner")
        ADMIN = "admin", _("Admin")
        SECURITY = "security", _("Security")
        MEMBER = "member", _("Member")
        AUDITOR = "auditor", _("Auditor")

    public_id = models.UUIDField(default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="organizations_membership_public_id"),
            models.UniqueConstraint(fields=["organization", "user"], name="organizations_membership_unique"),
            models.CheckConstraint(
                condition=models.Q(role__in=["owner", "admin", "security", "member", "auditor"]),
                name="organizations_membership_role",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Questions about invitations."""

    def open(self) -> InvitationQuerySet:
        """Neither accepted nor withdrawn; some of them may be past their time."""
        return self.filter(accepted_at=None, withdrawn_at=None)

    def to_address(self, email: str) -> InvitationQuerySet:
        """Invitations of this address, however it is typed."""
        canonical = canonical_email(email)
        return self.annotate(email_lower=Lower("email")).filter(email_lower=canonical)


class Invitation(models.Model):
    """One mailed offer of one role to one address: single use, seven days, and only its token's hash is here.

    It works only while the person who sent it last could send it again: whoever is removed leaves no
    door behind.
    """

    public_id = models.UUIDField(default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField(_("email"), max_length=MAX_EMAIL_LENGTH)
    role = models.CharField(_("role"), max_length=16, choices=Membership.Role.choices)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    token_hash = models.BinaryField(max_length=32, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="organizations_invitation_public_id"),
            models.UniqueConstraint(fields=["token_hash"], name="organizations_invitation_token_hash"),
            models.UniqueConstraint(
                "organization",
                Lower("email"),
                condition=models.Q(accepted_at=None, withdrawn_at=None),
                name="organizations_invitation_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["owner", "admin", "security", "member", "auditor"]),
                name="organizations_invitation_role",
            ),
            models.CheckConstraint(
                condition=models.Q(email__regex=ADDRESS_PATTERN), name="organizations_invitation_email_ascii"
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("sent_at")),
                name="organizations_invitation_lifetime",
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at=None) | models.Q(withdrawn_at=None),
                name="organizations_invitation_one_end",
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at__isnull=True, accepted_by__isnull=True)
                | models.Q(accepted_at__isnull=False, accepted_by__isnull=False),
                name="organizations_invitation_accepted_by",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["expires_at"], name="organizations_invite_expires"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    def is_expired_at(self, now: datetime) -> bool:
        """Whether the link's seven days are over."""
        return self.expires_at <= now

    @property
    def is_expired(self) -> bool:
        return self.is_expired_at(timezone.now())


class MfaPolicy(models.Model):
    """What an organization asks of its people's sign-in; without a row it is what the platform asks of all.

    ``set_at`` is when the requirement that holds now was chosen; another grace does not move it.
    """

    class Requirement(models.TextChoices):
        REQUIRED = "required", _("Any second factor")
        PHISHING_RESISTANT = "phishing_resistant", _("A passkey")

    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="mfa_policy")
    requirement = models.CharField(max_length=24, choices=Requirement.choices, default=Requirement.REQUIRED)
    grace_days = models.PositiveSmallIntegerField(default=rules.DEFAULT_GRACE_DAYS)
    set_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("second-factor policy")
        verbose_name_plural = _("second-factor policies")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(requirement__in=["required", "phishing_resistant"]),
                name="organizations_mfapolicy_requirement",
            ),
            models.CheckConstraint(
                condition=models.Q(grace_days__lte=rules.MAX_GRACE_DAYS),
                name="organizations_mfapolicy_grace",
            ),
        ]

    def __str__(self) -> str:
        return f"second-factor policy {self.pk}"

    @property
    def asks_for_passkey(self) -> bool:
        return self.requirement == self.Requirement.PHISHING_RESISTANT

    def due_at(self, membership: Membership) -> datetime | None:
        """By when this person has to comply; ``None`` where there is nothing beyond the platform's floor."""
        if not self.asks_for_passkey:
            return None
        return rules.due_at(set_at=self.set_at, joined_at=membership.created_at, grace_days=self.grace_days)


class MfaReminder(models.Model):
    """That a person was told of one stage before a policy closes an organization to them.

    ``due_at`` is the generation: another grace or a new policy moves the instant and begins anew, while
    an edit that moves nothing tells nobody twice.
    """

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="mfa_reminders")
    due_at = models.DateTimeField()
    stage = models.SmallIntegerField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("second-factor reminder")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["membership", "due_at", "stage"], name="organizations_mfareminder_once"
            ),
            models.CheckConstraint(
                condition=models.Q(stage__in=list(rules.STAGES)), name="organizations_mfareminder_stage"
            ),
        ]

    def __str__(self) -> str:
        return f"second-factor reminder {self.pk}"

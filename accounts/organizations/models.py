"""Customer organizations and the people in them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

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

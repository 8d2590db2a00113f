"""API keys, who hears of them, and the exceptions that one person may have for one service key."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermissionBase

from accounts.credentials import rules, tokens
from accounts.organizations.models import Organization

if TYPE_CHECKING:
    from accounts.identity.models import User


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Questions about keys; states are asked exactly as ``rules.state_of`` answers them."""

    def live(self, now: datetime) -> ApiKeyQuerySet:
        """Keys that still work at ``now``, as far as their own row says."""
        return self.unended(now).filter(suspended_at__isnull=True)

    def unended(self, now: datetime) -> ApiKeyQuerySet:
        """Keys that still work at ``now``, or would if they were not suspended."""
        return self.filter(revoked_at__isnull=True, expires_at__gt=now)

    def suspended(self, now: datetime) -> ApiKeyQuerySet:
        """Keys that are stopped at ``now`` and may work again."""
        return self.unended(now).filter(suspended_at__isnull=False)

    def in_state(self, state: rules.State, now: datetime) -> ApiKeyQuerySet:
        """Keys in exactly this state at ``now``."""
        if state is rules.State.REVOKED:
            return self.filter(revoked_at__isnull=False)
        if state is rules.State.EXPIRED:
            return self.filter(revoked_at__isnull=True, expires_at__lte=now)
        if state is rules.State.SUSPENDED:
            return self.suspended(now)
        if state is rules.State.RETIRING:
            return self.live(now).filter(replaced_by__isnull=False)
        current = self.live(now).filter(replaced_by__isnull=True)
        border = now + rules.EXPIRING_WITHIN
        if state is rules.State.EXPIRING:
            return current.filter(expires_at__lte=border)
        return current.filter(expires_at__gt=border)

    def for_change(self) -> ApiKeyQuerySet:
        """The rows locked until the transaction ends, with what every change needs beside them."""
        return self.select_for_update(of=("self",)).select_related("organization", "owner")

    def current(self, now: datetime) -> ApiKeyQuerySet:
        """Live keys without a successor: the ones that somebody has to rotate in time."""
        return self.live(now).filter(replaced_by__isnull=True)

    def due(self, now: datetime, *, max_age: timedelta) -> ApiKeyQuerySet:
        """Current keys that end, or grow older than ``max_age``, within the time for which lists warn."""
        border = now + rules.EXPIRING_WITHIN
        return self.current(now).filter(
            models.Q(expires_at__lte=border) | models.Q(created_at__lte=border - max_age)
        )

    def expired_unrecorded(self, now: datetime) -> ApiKeyQuerySet:
        """Keys whose end has come and does not yet stand in the audit log."""
        return self.filter(revoked_at__isnull=True, expiry_recorded_at__isnull=True, expires_at__lte=now)


class ApiKey(models.Model):
    """A key of one organization. Its secret is nowhere: only a peppered hash of the whole token.

    ``seal`` is an HMAC over every column that authorises, so that someone who can write SQL can't widen a
    key (see ``seals``). ``key_id`` is public: it stands in the token, in addresses and in evidence.
    """

    class Kind(models.TextChoices):
        PERSONAL = "personal", _("Personal")
        SERVICE = "service", _("Service")

    class Environment(models.TextChoices):
        LIVE = "live", _("Live")
        TEST = "test", _("Test")

    class RevokeReason(models.TextChoices):
        """A code and not a text, because it also stands in the audit log, which nobody can erase."""

        LEAKED = "leaked", _("It leaked or may have leaked")
        UNUSED = "unused", _("It is no longer needed")
        REPLACED = "replaced", _("Another key took its place")
        PERSON_LEFT = "person_left", _("The person who used it has left")
        OTHER = "other", _("Another reason")

    class SuspendCause(models.TextChoices):
        LOCKDOWN = "lockdown", _("Its owner’s account was locked down")

    key_id = models.CharField(max_length=tokens.ID_LENGTH, default=tokens.new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    owner_label = models.CharField(max_length=rules.MAX_NAME, blank=True)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    environment = models.CharField(max_length=4, choices=Environment.choices)
    name = models.CharField(max_length=rules.MAX_NAME)
    scopes = ArrayField(models.CharField(max_length=64), default=list)
    allowed_networks = ArrayField(models.CharField(max_length=43), default=list, blank=True)

    hash = models.BinaryField(editable=False)
    seal = models.BinaryField(editable=False)
    last4 = models.CharField(max_length=4, editable=False)

    family = models.UUIDField(default=uuid.uuid4, editable=False)
    generation = models.PositiveIntegerField(default=1, editable=False)
    replaced_by = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaces"
    )
    form_nonce = models.UUIDField(default=uuid.uuid4, editable=False)

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    expiry_recorded_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_ip_prefix = models.CharField(max_length=43, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    revoke_reason = models.CharField(max_length=16, choices=RevokeReason.choices, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True, editable=False)
    suspend_cause = models.CharField(max_length=16, choices=SuspendCause.choices, blank=True, editable=False)

    contacts = models.ManyToManyField(settings.AUTH_USER_MODEL, through="ApiKeyContact", related_name="+")

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = (
            ("view_service_key", "Can view one service key"),
            ("rotate_service_key", "Can rotate one service key"),
        )
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["key_id"], name="credentials_apikey_key_id_unique"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["personal", "service"]), name="credentials_apikey_kind"
            ),
            models.CheckConstraint(
                condition=models.Q(environment__in=["live", "test"]), name="credentials_apikey_environment"
            ),
            models.CheckConstraint(
                condition=models.Q(key_id__regex=r"^[0-9A-Za-z]{14}$"), name="credentials_apikey_key_id"
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__gte=models.F("created_at")), name="credentials_apikey_lives"
            ),
            models.CheckConstraint(
                condition=models.Q(revoked_at__isnull=False)
                | models.Q(revoked_by__isnull=True, revoke_reason=""),
                name="credentials_apikey_revocation",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    revoke_reason__in=["", "leaked", "unused", "replaced", "person_left", "other"]
                ),
                name="credentials_apikey_revoke_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(suspended_at__isnull=True, suspend_cause="")
                | models.Q(suspended_at__isnull=False, suspend_cause="lockdown"),
                name="credentials_apikey_suspension",
            ),
            models.UniqueConstraint(fields=["family", "generation"], name="credentials_apikey_generation"),
            models.UniqueConstraint(
                fields=["organization", "form_nonce"], name="credentials_apikey_form_nonce"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["organization", "-id"], name="credentials_apikey_list"),
            models.Index(fields=["owner", "organization"], name="credentials_apikey_owner"),
            models.Index(
                fields=["expires_at"],
                condition=models.Q(revoked_at__isnull=True, expiry_recorded_at__isnull=True),
                name="credentials_apikey_due",
            ),
        ]

    def __str__(self) -> str:
        return self.key_id

    def state_at(self, now: datetime) -> rules.State:
        """Where the key stands at ``now``."""
        return rules.state_of(
            revoked_at=self.revoked_at,
            suspended_at=self.suspended_at,
            expires_at=self.expires_at,
            is_replaced=self.replaced_by_id is not None,
            now=now,
        )

    @property
    def state(self) -> rules.State:
        """Where the key stands now."""
        return self.state_at(timezone.now())

    @property
    def is_personal(self) -> bool:
        return self.kind == self.Kind.PERSONAL

    @property
    def masked(self) -> str:
        """The key as lists and mails show it."""
        return tokens.display(
            kind=self.kind, environment=self.environment, key_id=self.key_id, last4=self.last4
        )


class ApiKeyContact(models.Model):
    """A person beside the owner who hears what happens to a service key, so that no key is left alone."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="contact_rows")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        default_permissions = ()
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["key", "user"], name="credentials_apikeycontact_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.key_id}:{self.user_id}"


class ServiceKeyUserObjectPermission(UserObjectPermissionBase):
    """guardian's row for one person and one service key: a direct foreign key, dropped with the key.

    Read and written by ``access`` alone.
    """

    content_object = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="exceptions")
    permission = models.ForeignKey("auth.Permission", on_delete=models.CASCADE, related_name="+")
    user: models.ForeignKey[User, User] = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )

    class Meta:
        default_permissions = ()
        unique_together = ()
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["user", "permission", "content_object"],
                name="credentials_servicekeypermission_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.content_object_id}:{self.user_id}:{self.permission_id}"

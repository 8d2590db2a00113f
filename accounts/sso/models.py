"""An organization's identity provider, its domains, and who came in by them."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.organizations.models import Membership, Organization
from accounts.sso import rules
from kellexa_portal.core.ids import uuid7
from kellexa_portal.crypto import Place, open_sealed, seal

SECRET, SECRET_COLUMN = "sso-client-secret", "sealed_secret"
VERIFIER, VERIFIER_COLUMN = "sso-code-verifier", "sealed_verifier"


class DomainQuerySet(models.QuerySet["Domain"]):
    """Questions about domains."""

    def verified(self) -> DomainQuerySet:
        """Domains that were shown to belong to their organization, and have not lapsed."""
        return self.filter(verified_at__isnull=False)

    def due(self, now: datetime) -> DomainQuerySet:
        """Verified domains whose record is to be looked at again."""
        return self.verified().filter(checked_at__lte=now - rules.DOMAIN_RECHECK)


class Domain(models.Model):
    """A domain that an organization calls its own. Any may name it; one alone can have it verified.

    ``missing_since`` is when the record of a verified domain was first found gone.
    """

    public_id = models.UUIDField(default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=rules.MAX_DOMAIN_LENGTH)
    token = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    verified_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    missing_since = models.DateTimeField(null=True, blank=True)

    objects = DomainQuerySet.as_manager()

    class Meta:
        verbose_name = _("domain")
        verbose_name_plural = _("domains")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="sso_domain_public_id"),
            models.UniqueConstraint(fields=["organization", "name"], name="sso_domain_named_once"),
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(verified_at__isnull=False),
                name="sso_domain_verified_by_one",
            ),
            models.CheckConstraint(
                condition=models.Q(missing_since=None) | models.Q(verified_at__isnull=False),
                name="sso_domain_missing_after_verified",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def record_name(self) -> str:
        """Where the TXT record stands."""
        return f"{rules.RECORD_LABEL}.{self.name}"

    @property
    def record_value(self) -> str:
        """What the TXT record holds; public, for anybody can look it up."""
        return f"{rules.RECORD_PREFIX}{self.token}"


class Connection(models.Model):
    """The OpenID provider of one organization, and how far it may be relied on.

    ``tested_at`` is when somebody who may change it came through it; without that nobody is let in by it.
    ``enforced_at`` closes every other way in for people of a verified domain, but for ``emergency``, an
    owner. The client's secret is sealed for this row.
    """

    public_id = models.UUIDField(default=uuid7, editable=False)
    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="+")
    issuer = models.CharField(max_length=rules.MAX_ISSUER)
    client_id = models.CharField(max_length=rules.MAX_CLIENT_ID)
    sealed_secret = models.BinaryField()
    metadata = models.JSONField(default=dict)
    creates_members = models.BooleanField(default=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    enforced_at = models.DateTimeField(null=True, blank=True)
    emergency = models.ForeignKey(
        Membership, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("identity provider")
        verbose_name_plural = _("identity providers")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="sso_connection_public_id"),
            models.CheckConstraint(
                condition=models.Q(enforced_at=None) | models.Q(tested_at__isnull=False),
                name="sso_connection_enforced_after_test",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def scope(self) -> UUID:
        """Whose data key seals the secret: the organization's."""
        return self.organization.public_id

    def close_secret(self, secret: str) -> None:
        """Puts the client's secret into this row; sealed for another row it would not open here."""
        self.sealed_secret = seal(secret.encode(), place=self._place())

    def open_secret(self) -> str:
        """The client's secret in clear, for one request. Raises ``SealedValueError``."""
        return open_sealed(bytes(self.sealed_secret), place=self._place()).decode()

    def _place(self) -> Place:
        return Place(self.scope, SECRET, self._meta.db_table, SECRET_COLUMN, self.public_id)


class Attempt(models.Model):
    """One trip to the provider and back: what its answer has to fit, used once.

    ``state_digest`` is found by the answer, ``browser`` is what the same browser's session holds, so that
    an answer carried into another browser opens nothing there.
    """

    public_id = models.UUIDField(default=uuid7, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    tester = models.ForeignKey(Membership, null=True, on_delete=models.CASCADE, related_name="+")
    state_digest = models.BinaryField(max_length=32)
    browser_digest = models.BinaryField(max_length=32)
    nonce = models.CharField(max_length=64)
    sealed_verifier = models.BinaryField()
    next_url = models.CharField(max_length=2048, blank=True, default="")
    expires_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["expires_at"], name="sso_attempt_expires"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="sso_attempt_public_id"),
            models.UniqueConstraint(fields=["state_digest"], name="sso_attempt_state"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def scope(self) -> UUID:
        """Whose data key seals the verifier: the organization's."""
        return self.connection.scope

    def close_verifier(self, verifier: str) -> None:
        """Puts the PKCE verifier into this row."""
        self.sealed_verifier = seal(verifier.encode(), place=self._place())

    def open_verifier(self) -> str:
        """The PKCE verifier in clear. Raises ``SealedValueError``."""
        return open_sealed(bytes(self.sealed_verifier), place=self._place()).decode()

    def _place(self) -> Place:
        return Place(self.scope, VERIFIER, self._meta.db_table, VERIFIER_COLUMN, self.public_id)


class Link(models.Model):
    """That a subject of a provider is a person here. The provider's name for them, never their address."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="links")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=rules.MAX_SUBJECT)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["connection", "subject"], name="sso_link_subject"),
            models.UniqueConstraint(fields=["connection", "user"], name="sso_link_user"),
        ]

    def __str__(self) -> str:
        return f"sso link {self.pk}"

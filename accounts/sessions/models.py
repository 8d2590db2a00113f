"""The row behind every signed-in browser."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.sessions import rules
from kellexa_portal.core.ids import uuid7
from kellexa_portal.crypto import Place, open_sealed, seal

HAND_OVER = "hand-over"
SEALED_COLUMN = "sealed_secret"


def digest_of(session_key: str) -> bytes:
    """SHA-256 of Django's session key, so that this table never holds what a thief could present."""
    return hashlib.sha256(session_key.encode()).digest()


class AccountSessionQuerySet(models.QuerySet["AccountSession"]):
    """Questions about sessions."""

    def unended(self) -> AccountSessionQuerySet:
        """Sessions that nobody ended; the clock may have."""
        return self.filter(ended_at=None)

    def live(self, *, now: datetime, is_staff: bool) -> AccountSessionQuerySet:
        """Sessions that the next request would still find good."""
        limits = rules.limits_of(is_staff=is_staff)
        return self.unended().filter(started_at__gt=now - limits.absolute, last_seen_at__gt=now - limits.idle)


class AccountSession(models.Model):
    """A signed-in session: what began it, where it was last seen, and whether it still counts.

    Django's session is only the cookie's half. A Django session without a live row here is refused, so
    ending a session is one UPDATE that the very next request obeys (attack case 32), whatever backend
    holds the other half. ``epoch`` is the account's when the session last counted, ``browser_epoch`` the
    one for which its browser was marked as known. ``proof_at`` is when the person last proved anything,
    ``factor_at`` when they last showed the enrolled second factor that ``factor`` names (see ``stepup``).
    """

    class Method(models.TextChoices):
        TOTP = "totp", _("Authenticator app")
        PASSKEY = "passkey", _("Passkey")
        PASSWORD_AND_PASSKEY = "pwd_passkey", _("Password and passkey")
        ENROLMENT = "enrolment", _("New authenticator app")
        NEW_PASSKEY = "new_passkey", _("New passkey")
        RECOVERY = "recovery", _("Recovery code and new factor")
        TRUSTED = "trusted", _("Password in a trusted browser")

    class EndReason(models.TextChoices):
        SIGNED_OUT = "signed_out", _("Signed out")
        REVOKED = "revoked", _("Ended by its owner")
        STAFF = "staff", _("Ended by staff")
        EXCESS = "excess", _("Too many sessions")
        PASSWORD = "password", _("Password changed")
        EMAIL = "email", _("Email address changed")
        FACTOR = "factor", _("Second factor changed")
        IDLE = "idle", _("Not used")
        ABSOLUTE = "absolute", _("Too old")
        EPOCH = "epoch", _("Account secured")
        INACTIVE = "inactive", _("Account deactivated")
        UNVERIFIED = "unverified", _("Second factor removed")

    public_id = models.UUIDField(default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key_digest = models.BinaryField(max_length=32)
    epoch = models.PositiveIntegerField()
    browser_epoch = models.PositiveIntegerField(default=0)
    device = models.CharField(max_length=80, blank=True)
    ip_prefix = models.CharField(max_length=64, blank=True)
    method = models.CharField(max_length=16, choices=Method.choices)
    level = models.PositiveSmallIntegerField()
    methods = models.JSONField(default=list)
    proof_at = models.DateTimeField(default=timezone.now)
    factor = models.CharField(max_length=16, blank=True, default="")
    factor_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=16, choices=EndReason.choices, blank=True)

    objects = AccountSessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["user", "started_at"],
                condition=models.Q(ended_at=None),
                name="account_sessions_unended",
            ),
            models.Index(
                fields=["user", "ended_at"],
                condition=models.Q(ended_at__isnull=False),
                name="account_sessions_ended",
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="account_sessions_accountsession_public_id"),
            models.UniqueConstraint(fields=["key_digest"], name="account_sessions_accountsession_key_digest"),
            models.CheckConstraint(
                condition=models.Q(ended_at=None, end_reason="")
                | (models.Q(ended_at__isnull=False) & ~models.Q(end_reason="")),
                name="account_sessions_ended_with_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(factor_at=None, factor="")
                | (models.Q(factor_at__isnull=False) & ~models.Q(factor="")),
                name="account_sessions_factor_with_time",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    method__in=[
                        "totp",
                        "passkey",
                        "pwd_passkey",
                        "enrolment",
                        "new_passkey",
                        "recovery",
                        "trusted",
                    ]
                ),
                name="account_sessions_method",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    end_reason__in=[
                        "",
                        "signed_out",
                        "revoked",
                        "staff",
                        "excess",
                        "password",
                        "email",
                        "factor",
                        "idle",
                        "absolute",
                        "epoch",
                        "inactive",
                        "unverified",
                    ]
                ),
                name="account_sessions_end_reason",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    def belongs_to_key(self, session_key: str) -> bool:
        """Whether ``session_key`` is the one that this row stands for now."""
        return bytes(self.key_digest) == digest_of(session_key)


class StepUpGrant(models.Model):
    """Permission for one action on one object, earned by a factor shown for exactly that; used once.

    Bound to the session that earned it, so that a second browser of the same person has to earn its own.
    """

    session = models.ForeignKey(AccountSession, on_delete=models.CASCADE, related_name="+")
    action = models.CharField(max_length=64)
    obj = models.CharField(max_length=200)
    factor = models.CharField(max_length=16)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["session", "action", "obj"],
                condition=models.Q(spent_at=None),
                name="account_sessions_grant_open",
            ),
            models.Index(fields=["expires_at"], name="account_sessions_grant_expires"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")),
                name="account_sessions_grant_lifetime",
            ),
        ]

    def __str__(self) -> str:
        return f"step-up grant {self.pk}"


class TrustedBrowserQuerySet(models.QuerySet["TrustedBrowser"]):
    """Questions about trusted browsers."""

    def live(self, *, now: datetime) -> TrustedBrowserQuerySet:
        """Those that still stand for a factor: not too old, and the account not secured anew since."""
        return self.filter(expires_at__gt=now, epoch=models.F("user__security_epoch"))


class TrustedBrowser(models.Model):
    """A browser in which the password alone signs its person in, until a day that is fixed at the start.

    The row is the trust: without it the cookie is worth nothing, so withdrawing it is one DELETE that the
    next sign-in obeys. ``epoch`` is the account's when trust was given; whatever raises it voids the row
    (attack case 35).
    """

    public_id = models.UUIDField(default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    token_digest = models.BinaryField(max_length=32)
    epoch = models.PositiveIntegerField()
    device = models.CharField(max_length=80, blank=True)
    ip_prefix = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()

    objects = TrustedBrowserQuerySet.as_manager()

    class Meta:
        verbose_name = _("trusted browser")
        verbose_name_plural = _("trusted browsers")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["expires_at"], name="account_sessions_trust_expires"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="account_sessions_trust_public_id"),
            models.UniqueConstraint(fields=["token_digest"], name="account_sessions_trust_token"),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")),
                name="account_sessions_trust_lifetime",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class HandOver(models.Model):
    """A secret between the form that made it and the one page that shows it, sealed (see ``handover``).

    ``holder`` is the public id of the session or half sign-in that made it, and alone may take it.
    """

    public_id = models.UUIDField(default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    holder = models.UUIDField()
    purpose = models.CharField(max_length=48)
    sealed_secret = models.BinaryField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["expires_at"], name="account_sessions_handover_exp"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="account_sessions_handover_public_id"),
            models.UniqueConstraint(fields=["holder", "purpose"], name="account_sessions_handover_once"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def scope(self) -> UUID:
        """Whose data key seals the secret: the person's own."""
        return self.user.public_id

    def close(self, secret: str) -> None:
        """Puts ``secret`` into this row; sealed for another row it would not open here."""
        self.sealed_secret = seal(secret.encode(), place=self._place())

    def open(self) -> str:
        """The secret in clear, for one page. Raises ``SealedValueError``."""
        return open_sealed(bytes(self.sealed_secret), place=self._place()).decode()

    def _place(self) -> Place:
        return Place(self.scope, HAND_OVER, self._meta.db_table, SEALED_COLUMN, self.public_id)

"""The person who signs in, customer or staff, and what comes before: sign-up, reset, half a sign-in."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, TypeVar

from django.conf import settings
from django.contrib.auth import get_backends
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identity import rules
from kellexa_portal.core.ids import uuid7

Link = TypeVar("Link", bound=models.Model)


class UserQuerySet(models.QuerySet["User"]):
    """Questions about accounts."""

    def with_email(self, email: str) -> UserQuerySet:
        """Accounts whose address equals ``email`` but for letter case, width and surrounding space."""
        return self.annotate(email_lower=Lower("email")).filter(email_lower=rules.canonical_email(email))


class UserManager(BaseUserManager["User"]):
    """Finds accounts by e-mail; they are made by actions only."""

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def with_email(self, email: str) -> UserQuerySet:
        """See ``UserQuerySet.with_email``."""
        return self.get_queryset().with_email(email)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.with_email(username or "").get()


class User(AbstractBaseUser, PermissionsMixin):
    """An account: one e-mail address, one password, an epoch that ends every session when it rises.

    An account exists only once its address is confirmed (see ``SignUp``). Staff and customer accounts
    are disjoint: staff have no membership. Addresses are ASCII in the database, so that no two accounts
    look alike and lower-casing means the same here and in PostgreSQL (CVE-2019-19844). ``locked_at`` is
    set while the account is locked down, and only ever refuses (see ``accounts.lockdown``);
    ``quarantined_until`` is when a quarantine ends or ended (see ``accounts.identity.quarantine``).
    """

    public_id = models.UUIDField(default=uuid7, editable=False)
    email = models.EmailField(_("email"), max_length=rules.MAX_EMAIL_LENGTH)
    name = models.CharField(_("name"), max_length=rules.MAX_NAME_LENGTH)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    security_epoch = models.PositiveIntegerField(default=1)
    email_confirmed_at = models.DateTimeField(null=True, blank=True)
    password_changed_at = models.DateTimeField(default=timezone.now)
    locked_at = models.DateTimeField(_("locked down"), null=True, blank=True, editable=False)
    quarantined_until = models.DateTimeField(_("quarantined until"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="accounts_user_public_id"),
            models.UniqueConstraint(Lower("email"), name="accounts_user_email_unique"),
            # Follows from the one above; Django's auth.E003 cannot see through the expression.
            models.UniqueConstraint(fields=["email"], name="accounts_user_email_exact"),
            models.CheckConstraint(
                condition=models.Q(email__regex=rules.ADDRESS_PATTERN), name="accounts_user_email_ascii"
            ),
            models.CheckConstraint(
                condition=models.Q(is_superuser=False) | models.Q(is_staff=True),
                name="accounts_user_superuser_is_staff",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        """What the roles give, and nothing more: Django's own answer to ``is_superuser`` is always yes."""
        return self.is_active and any(backend.has_perm(self, perm, obj) for backend in get_backends())

    def has_module_perms(self, app_label: str) -> bool:
        """The same for a whole app."""
        backends = (backend for backend in get_backends() if hasattr(backend, "has_module_perms"))
        return self.is_active and any(backend.has_module_perms(self, app_label) for backend in backends)

    @property
    def needs_new_password(self) -> bool:
        """Whether the account was locked down and its password is still the one that a thief may know."""
        return self.locked_at is not None and self.password_changed_at <= self.locked_at

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name


class LinkQuerySet(models.QuerySet[Link]):
    """What is common to rows that stand behind a mailed link."""

    def live(self, now: datetime) -> LinkQuerySet[Link]:
        """Rows whose link still works at ``now``: neither used nor withdrawn nor past its time."""
        return self.filter(spent_at=None, expires_at__gt=now)


class SignUp(models.Model):
    """A wish for an account. It becomes a ``User`` only by the link mailed to its address.

    Several may wait for one address, a stranger's among them; the first one confirmed wins and the
    others die. ``browser_hash`` names the browser that chose the password (pre-hijacking: see ADR 0007).
    """

    public_id = models.UUIDField(default=uuid7, editable=False)
    email = models.EmailField(max_length=rules.MAX_EMAIL_LENGTH)
    name = models.CharField(max_length=rules.MAX_NAME_LENGTH)
    organization_name = models.CharField(max_length=rules.MAX_NAME_LENGTH)
    time_zone = models.CharField(max_length=64, default="UTC")
    password = models.CharField(max_length=128)
    token_hash = models.BinaryField(max_length=32)
    browser_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)

    objects = LinkQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(Lower("email"), name="accounts_signup_email"),
            models.Index(fields=["expires_at"], name="accounts_signup_expires"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="accounts_signup_public_id"),
            models.UniqueConstraint(fields=["token_hash"], name="accounts_signup_token_hash"),
            models.CheckConstraint(
                condition=models.Q(email__regex=rules.ADDRESS_PATTERN), name="accounts_signup_email_ascii"
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="accounts_signup_lifetime"
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class PasswordReset(models.Model):
    """One mailed permission to choose a new password: single use, short-lived, dead once the epoch moves."""

    public_id = models.UUIDField(default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    epoch = models.PositiveIntegerField()
    token_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)

    objects = LinkQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["expires_at"], name="accounts_reset_expires"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="accounts_passwordreset_public_id"),
            models.UniqueConstraint(fields=["token_hash"], name="accounts_passwordreset_token_hash"),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="accounts_reset_lifetime"
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class EmailChange(models.Model):
    """A new address on its way in: it counts once the link mailed to it is used by the signed-in person.

    ``undo_hash`` stands behind the link that the former address gets, so that whoever lost the account to
    a thief can bring their address back. Dead once the epoch moves, as every mailed link.
    """

    public_id = models.UUIDField(default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    epoch = models.PositiveIntegerField()
    old_email = models.EmailField(max_length=rules.MAX_EMAIL_LENGTH)
    new_email = models.EmailField(max_length=rules.MAX_EMAIL_LENGTH)
    token_hash = models.BinaryField(max_length=32)
    undo_hash = models.BinaryField(max_length=32, null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)
    undo_until = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    objects = LinkQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["expires_at"], name="accounts_emailchange_expires"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="accounts_emailchange_public_id"),
            models.UniqueConstraint(fields=["token_hash"], name="accounts_emailchange_token_hash"),
            models.UniqueConstraint(fields=["undo_hash"], name="accounts_emailchange_undo_hash"),
            models.CheckConstraint(
                condition=models.Q(new_email__regex=rules.ADDRESS_PATTERN),
                name="accounts_emailchange_email_ascii",
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")),
                name="accounts_emailchange_lifetime",
            ),
            models.CheckConstraint(
                condition=models.Q(undo_hash=None, undo_until=None, undone_at=None)
                | models.Q(undo_hash__isnull=False, undo_until__isnull=False, spent_at__isnull=False),
                name="accounts_emailchange_undo_after_use",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class PendingSignIn(models.Model):
    """Half a sign-in: the password was right, the second factor is still to come. Never a session.

    ``via`` says what stood for the password: the person's passkey, or the word of their organization's
    identity provider.
    ``epoch`` is the account's at the time of the password; a change of it kills the row.
    """

    class Stage(models.TextChoices):
        VERIFY = "verify", _("Show a second factor")
        ENROL = "enrol", _("Enrol a second factor")
        RECOVERED = "recovered", _("Recovered, enrol a new factor")

    class Via(models.TextChoices):
        PASSWORD = "password", _("Password")
        PASSKEY = "passkey", _("Passkey")
        SSO = "sso", _("Single sign-on")

    public_id = models.UUIDField(default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    epoch = models.PositiveIntegerField()
    tries = models.PositiveSmallIntegerField(default=0)
    stage = models.CharField(max_length=16, choices=Stage.choices, default=Stage.VERIFY)
    via = models.CharField(max_length=16, choices=Via.choices, default=Via.PASSWORD)
    next_url = models.CharField(max_length=2048, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["expires_at"], name="accounts_pending_expires"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="accounts_pendingsignin_public_id"),
            models.CheckConstraint(
                condition=models.Q(tries__lte=rules.PENDING_TRIES), name="accounts_pending_tries"
            ),
            models.CheckConstraint(
                condition=models.Q(stage__in=["verify", "enrol", "recovered"]), name="accounts_pending_stage"
            ),
            models.CheckConstraint(
                condition=models.Q(via__in=["password", "passkey", "sso"]), name="accounts_pending_via"
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class StaffAssignment(models.Model):
    """One role of one member of Kellexa's staff. What a role may do is code, in each app's ``access``."""

    class Role(models.TextChoices):
        TRIAGER = "triager", _("Triager")
        DISCLOSURE_LEAD = "disclosure_lead", _("Disclosure lead")
        PUBLISHER = "publisher", _("Publisher")
        PRIVACY_EDITOR = "privacy_editor", _("Privacy editor")
        LEGAL_APPROVER = "legal_approver", _("Legal approver")
        ACCESS_REVIEWER = "access_reviewer", _("Access reviewer")
        DPO = "dpo", _("Data protection officer")
        INCIDENT_COMMANDER = "incident_commander", _("Incident commander")
        PLATFORM_AUDITOR = "platform_auditor", _("Platform auditor")
        ADMINISTRATOR = "administrator", _("Administrator")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="assignments")
    role = models.CharField(_("role"), max_length=32, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "role"], name="accounts_assignment_unique"),
            models.CheckConstraint(
                condition=models.Q(
                    role__in=[
                        "triager",
                        "disclosure_lead",
                        "publisher",
                        "privacy_editor",
                        "legal_approver",
                        "access_reviewer",
                        "dpo",
                        "incident_commander",
                        "platform_auditor",
                        "administrator",
                    ]
                ),
                name="accounts_assignment_role",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}:{self.role}"

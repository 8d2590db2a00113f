"""Second factors: authenticator app, passkeys, recovery codes, and the enrolment that is not yet one."""

from __future__ import annotations

import base64
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, DeviceManager
from django_otp_webauthn.models import AbstractWebAuthnCredential

from accounts.identity.models import PendingSignIn
from accounts.mfa import rules
from accounts.sessions.models import AccountSession
from kellexa_portal.core.ids import uuid7
from kellexa_portal.crypto import Place, open_sealed, seal

PURPOSE = "totp-seed"
SEED_COLUMN = "sealed_seed"


class SealedSeed(models.Model):
    """A seed that stands in the database sealed, bound to its owner, table and row."""

    public_id = models.UUIDField(default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    sealed_seed = models.BinaryField()

    class Meta:
        abstract = True

    @property
    def scope(self) -> UUID:
        """Whose data key seals the seed: the person's own."""
        return self.user.public_id

    def seal_seed(self, seed: bytes) -> None:
        """Puts ``seed`` into this row; sealed for another row it would not open here."""
        self.sealed_seed = seal(seed, place=self._place())

    def open_seed(self) -> bytes:
        """The seed in clear, for the length of one comparison or one page. Raises ``SealedValueError``."""
        return open_sealed(bytes(self.sealed_seed), place=self._place())

    def _place(self) -> Place:
        table = self._meta.db_table
        return Place(self.scope, PURPOSE, table, SEED_COLUMN, self.public_id)


class Verdict(StrEnum):
    """What became of a code."""

    ACCEPTED = "accepted"
    REPLAYED = "replayed"
    WRONG = "wrong"


class TotpDevice(SealedSeed, Device):
    """An authenticator app (RFC 6238: SHA-1, six digits, 30 seconds), one for each person.

    ``last_step`` is the highest step whose code was ever accepted, the one typed at enrolment included,
    so each code opens at most one thing once (attack case 9). ``drift`` is learnt at enrolment and changed
    by a re-sync alone; codes of other steps are refused (ASVS 6.5.5).
    """

    drift = models.SmallIntegerField(default=0)
    last_step = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[TotpDevice]] = DeviceManager()

    class Meta:
        verbose_name = _("authenticator app")
        verbose_name_plural = _("authenticator apps")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="mfa_totpdevice_public_id"),
            models.UniqueConstraint(fields=["user"], name="mfa_totp_device_one_a_person"),
            models.CheckConstraint(condition=models.Q(confirmed=True), name="mfa_totp_device_confirmed"),
            models.CheckConstraint(
                condition=models.Q(drift__gte=-rules.MAX_DRIFT_STEPS, drift__lte=rules.MAX_DRIFT_STEPS),
                name="mfa_totp_device_drift",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    def accept(self, code: str, *, now: datetime) -> Verdict:
        """Burns the step of ``code`` if it is the present one and was never burned.

        One conditional UPDATE decides, so of parallel requests with one right code exactly one is
        accepted (attack case 11). ``code`` is canonical.
        """
        step = rules.step_at(now, drift=self.drift)
        if not rules.is_code_of(self.open_seed(), code, step):
            return Verdict.WRONG
        burned = TotpDevice.objects.filter(pk=self.pk, last_step__lt=step).update(
            last_step=step, last_used_at=now
        )
        return Verdict.ACCEPTED if burned else Verdict.REPLAYED

    def verify_token(self, token: str) -> bool:
        """The same for code that knows only django-otp; budgets are the caller's duty."""
        code = rules.canonical_code(token)
        return code is not None and self.accept(code, now=timezone.now()) is Verdict.ACCEPTED


class Enrolment(SealedSeed):
    """A factor on its way in: the seed for an authenticator app, and how far the person has come.

    Bound to one half sign-in or to one session, never to the person alone: two browsers that know the
    same password must not be shown one seed, or the stranger would hold a copy of the owner's. Kept
    while its ceremony lives, so reloading the page mints no second seed. Whoever makes a passkey instead
    leaves the seed unused: the unconfirmed passkey then stands beside it.
    """

    pending = models.OneToOneField(PendingSignIn, null=True, on_delete=models.CASCADE, related_name="+")
    session = models.OneToOneField(AccountSession, null=True, on_delete=models.CASCADE, related_name="+")
    seen_step = models.BigIntegerField(null=True)
    seen_drift = models.SmallIntegerField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="mfa_enrolment_public_id"),
            models.CheckConstraint(
                condition=models.Q(pending__isnull=False, session=None)
                | models.Q(pending=None, session__isnull=False),
                name="mfa_enrolment_one_ceremony",
            ),
            models.CheckConstraint(
                condition=models.Q(seen_step=None, seen_drift=None)
                | models.Q(seen_step__isnull=False, seen_drift__isnull=False),
                name="mfa_enrolment_reading_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def key(self) -> str:
        """The seed as people type it into an app: base 32 in groups of four."""
        text = base64.b32encode(self.open_seed()).decode()
        return " ".join(text[at : at + 4] for at in range(0, len(text), 4))

    @property
    def reading(self) -> rules.Reading | None:
        """What the last right code told about the clock."""
        if self.seen_step is None or self.seen_drift is None:
            return None
        return rules.Reading(self.seen_step, self.seen_drift)


class Resync(models.Model):
    """The first of the two codes by which an app's clock is read anew.

    Bound to one half sign-in or to one session, as an enrolment is: a code that a stranger saw must not
    be the first half of somebody else's pair.
    """

    pending = models.OneToOneField(PendingSignIn, null=True, on_delete=models.CASCADE, related_name="+")
    session = models.OneToOneField(AccountSession, null=True, on_delete=models.CASCADE, related_name="+")
    device = models.ForeignKey(TotpDevice, on_delete=models.CASCADE, related_name="+")
    step = models.BigIntegerField()
    drift = models.SmallIntegerField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        default_permissions = ()
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(pending__isnull=False, session=None)
                | models.Q(pending=None, session__isnull=False),
                name="mfa_resync_one_ceremony",
            ),
        ]

    def __str__(self) -> str:
        return f"resync {self.pk}"

    @property
    def reading(self) -> rules.Reading:
        """What the first code told about the clock."""
        return rules.Reading(self.step, self.drift)


class RecoveryCodeQuerySet(models.QuerySet["RecoveryCode"]):
    """Questions about recovery codes."""

    def usable(self) -> RecoveryCodeQuerySet:
        """Codes that can still sign in: not used, and not of an enrolment that was never finished."""
        return self.filter(used_at=None, enrolment=None)


class RecoveryCode(models.Model):
    """One of ten single-use codes, kept as a hash. ``enrolment`` marks a draft that opens nothing."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    enrolment = models.ForeignKey(Enrolment, null=True, on_delete=models.CASCADE, related_name="codes")
    digest = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    used_at = models.DateTimeField(null=True, blank=True)

    objects = RecoveryCodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "digest"], name="mfa_recovery_code_unique"),
        ]

    def __str__(self) -> str:
        return f"recovery-code-{self.pk}"


class Passkey(AbstractWebAuthnCredential):
    """A passkey: the public half of a key that the person's device keeps and unlocks for them alone.

    On django-otp-webauthn's credential, without its views, its admin and its configuration.
    ``enrolment`` marks a draft that signs nobody in until a recovery code was typed back.
    """

    public_id = models.UUIDField(default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    enrolment = models.ForeignKey(
        Enrolment, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    credential_id_sha256 = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[models.Manager[Passkey]] = DeviceManager()

    class Meta:
        verbose_name = _("passkey")
        verbose_name_plural = _("passkeys")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["public_id"], name="mfa_passkey_public_id"),
            models.UniqueConstraint(fields=["credential_id_sha256"], name="mfa_passkey_credential"),
            models.CheckConstraint(
                condition=models.Q(confirmed=True, enrolment=None)
                | models.Q(confirmed=False, enrolment__isnull=False),
                name="mfa_passkey_draft",
            ),
            models.CheckConstraint(
                condition=models.Q(backup_state=False) | models.Q(backup_eligible=True),
                name="mfa_passkey_backup",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class PasskeyChallenge(models.Model):
    """A question that one answer of an authenticator may answer, once, within minutes.

    The row is what makes an answer count: bound to its purpose and to the browser, half sign-in or session
    that asked, and deleted before the answer is looked at, so that no answer counts twice (attack case 5).
    """

    class Purpose(models.TextChoices):
        SIGN_IN = "sign_in", _("Sign in")
        VERIFY = "verify", _("Second step of a sign-in")
        ENROL = "enrol", _("First passkey")
        ADD = "add", _("Another passkey")
        STEP_UP = "step_up", _("Shown again")

    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    challenge = models.BinaryField(max_length=64)
    browser = models.BinaryField(max_length=32, null=True)
    pending = models.ForeignKey(PendingSignIn, null=True, on_delete=models.CASCADE, related_name="+")
    session = models.ForeignKey(AccountSession, null=True, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["expires_at"], name="mfa_challenge_expires"),
            models.Index(
                fields=["browser"],
                condition=models.Q(browser__isnull=False),
                name="mfa_challenge_browser",
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["challenge"], name="mfa_challenge_unique"),
            models.CheckConstraint(
                condition=models.Q(purpose="sign_in", browser__isnull=False, pending=None, session=None)
                | models.Q(purpose__in=["verify", "enrol"], browser=None, pending__isnull=False, session=None)
                | models.Q(purpose__in=["add", "step_up"], browser=None, pending=None, session__isnull=False),
                name="mfa_challenge_bound_by_purpose",
            ),
        ]

    def __str__(self) -> str:
        return f"passkey challenge {self.pk}"

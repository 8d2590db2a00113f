"""The end of every second factor of a person who has lost them all; for the portal alone."""

from __future__ import annotations

from django.db import transaction

from accounts.identity import access
from accounts.identity.models import User
from accounts.mfa.events import MfaEvent
from accounts.mfa.models import Enrolment, Passkey, RecoveryCode, TotpDevice
from kellexa_portal.audit import Stream, Target, record
from kellexa_portal.core.actor import Actor


def forget_factors(*, actor: Actor, user: User) -> tuple[str, ...]:
    """Removes every passkey, app and recovery code of ``user``, drafts too; answers what they were.

    Each factor is on record, none is mailed: the caller tells the person of the recovery as a whole, and
    raises the epoch. Raises ``NotPermittedError`` for anybody but the portal.
    """
    access.require_system(actor)
    with transaction.atomic():
        Enrolment.objects.filter(user=user).delete()
        passkeys = ["passkey"] * Passkey.objects.filter(user=user).count()
        apps = ["totp"] * TotpDevice.objects.filter(user=user).count()
        codes = ["recovery_codes"] * RecoveryCode.objects.filter(user=user, used_at=None).exists()
        for model in (Passkey, TotpDevice, RecoveryCode):
            model.objects.filter(user=user).delete()
        for factor in (*passkeys, *apps):
            record(
                MfaEvent.REMOVED,
                actor=actor,
                stream=Stream.user(user.public_id),
                target=Target("user", str(user.public_id)),
                reason="recovery",
                changes={"factor": factor},
            )
    return (*passkeys, *apps, *codes)

"""Reads of second factors; each starts from the person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, F, QuerySet
from django.utils import timezone
from django_otp.models import Device

from accounts.identity.models import PendingSignIn, User
from accounts.mfa import rules, webauthn
from accounts.mfa.models import Enrolment, Passkey, RecoveryCode, Resync, TotpDevice
from accounts.sessions.models import AccountSession


def authenticator_of(user: User) -> TotpDevice | None:
    """The person's authenticator app, or ``None`` for a person who has none."""
    return TotpDevice.objects.filter(user=user, confirmed=True).select_related("user").first()


@dataclass(frozen=True, slots=True)
class Factors:
    """What a person can show at a sign-in."""

    has_passkey: bool
    has_app: bool
    has_codes: bool


def factors_of(user: User) -> Factors:
    """All of it in one query."""
    passkeys = Passkey.objects.filter(user=user, confirmed=True)
    apps = TotpDevice.objects.filter(user=user, confirmed=True)
    codes = RecoveryCode.objects.usable().filter(user=user)
    return Factors(
        *User.objects.filter(pk=user.pk).values_list(Exists(passkeys), Exists(apps), Exists(codes)).get()
    )


def has_factor(user: User) -> bool:
    """Whether the person has a second factor that can sign in. Recovery codes are none."""
    found = factors_of(user)
    return found.has_passkey or found.has_app


def has_other_factor(factor: Passkey | TotpDevice) -> bool:
    """Whether the person keeps a second factor once ``factor`` is gone."""
    apps = TotpDevice.objects.filter(user=factor.user_id).count()
    passkeys = Passkey.objects.filter(user=factor.user_id, confirmed=True).count()
    return rules.may_remove_factor(apps=apps, passkeys=passkeys)


def factor_since(user: User) -> datetime | None:
    """Since when the person has had a second factor that still counts; ``None`` without one."""
    app = authenticator_of(user)
    oldest = passkeys_of(user).order_by("created_at").first()
    return min((factor.created_at for factor in (app, oldest) if factor is not None), default=None)


def any_factor_of(user: User) -> Device | None:
    """A factor of the person, the last used passkey first."""
    return passkeys_of(user).first() or authenticator_of(user)


def passkeys_of(user: User) -> QuerySet[Passkey]:
    """The person's passkeys, last used first."""
    newest = F("last_used_at").desc(nulls_last=True)
    return Passkey.objects.filter(user=user, confirmed=True).order_by(newest, "-pk")


def passkey_of(user: User, public_id: UUID) -> Passkey | None:
    """One passkey of the person; nobody else's (attack case 4)."""
    return passkeys_of(user).filter(public_id=public_id).first()


def passkey_named(credential_id: bytes) -> Passkey | None:
    """The passkey that an authenticator calls so, whoever's it is."""
    fingerprint = webauthn.fingerprint(credential_id)
    known = Passkey.objects.filter(confirmed=True, credential_id_sha256=fingerprint)
    return known.select_related("user").first()


def keys_of(user: User) -> list[tuple[bytes, list[str]]]:
    """What a browser has to know of the person's passkeys: their names and how to reach them."""
    return [(bytes(key.credential_id), list(key.transports)) for key in passkeys_of(user)]


def recovery_codes_left(user: User) -> int:
    """How many recovery codes still work."""
    return RecoveryCode.objects.usable().filter(user=user).count()


def enrolment_of_pending(pending: PendingSignIn) -> Enrolment | None:
    """The enrolment under way in this half sign-in."""
    return Enrolment.objects.filter(pending=pending).select_related("user").first()


def enrolment_of_session(session: AccountSession) -> Enrolment | None:
    """The replacement under way in this session, while it is fresh."""
    since = timezone.now() - rules.REPLACEMENT_LIFETIME
    return Enrolment.objects.filter(session=session, created_at__gt=since).select_related("user").first()


def resync_under_way(
    *, pending: PendingSignIn | None = None, session: AccountSession | None = None
) -> Resync | None:
    """The first code of a re-sync in this half sign-in or session, while it is fresh."""
    since = timezone.now() - rules.RESYNC_LIFETIME
    return Resync.objects.filter(pending=pending, session=session, created_at__gt=since).first()

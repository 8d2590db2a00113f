"""Reads of second factors; each starts from the person."""

from __future__ import annotations

from django.utils import timezone

from accounts.identity.models import PendingSignIn, User
from accounts.mfa import rules
from accounts.mfa.models import Enrolment, RecoveryCode, TotpDevice
from accounts.sessions.models import AccountSession


def authenticator_of(user: User) -> TotpDevice | None:
    """The person's authenticator app, or ``None`` for a person who has to enrol."""
    return TotpDevice.objects.filter(user=user, confirmed=True).select_related("user").first()


def has_factor(user: User) -> bool:
    """Whether the person has a second factor that can sign in. Recovery codes are none."""
    return TotpDevice.objects.filter(user=user, confirmed=True).exists()


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

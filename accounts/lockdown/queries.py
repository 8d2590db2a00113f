"""Reads of lock-downs; each starts from the person or from the token of a link."""

from __future__ import annotations

from django.utils import timezone

from accounts.identity import tokens
from accounts.identity.models import User
from accounts.lockdown import access, rules
from accounts.lockdown.models import DisavowalLink, Lockdown
from accounts.recovery.queries import was_recovered_lately
from accounts.sessions.models import AccountSession


def open_lockdown_of(user: User) -> Lockdown | None:
    """The lock-down that holds the person's account now."""
    return Lockdown.objects.unlifted().filter(user=user).first()


def case_workers() -> list[User]:
    """The staff who close cases, and are told of new ones."""
    staff = User.objects.filter(is_staff=True, is_active=True).order_by("pk")
    return [person for person in staff if access.may_close_case(person)]


def link_of(token: str) -> DisavowalLink | None:
    """The link of a notice, whether or not it still works."""
    return DisavowalLink.objects.select_related("user").filter(token_hash=tokens.digest(token)).first()


def recovered_lately(user: User) -> bool:
    """Whether somebody came in with a recovery code, or by a recovery of staff, within the quarantine."""
    now = timezone.now()
    since = now - rules.RECOVERY_QUARANTINE
    recovered = AccountSession.objects.filter(user=user, method=AccountSession.Method.RECOVERY)
    return recovered.filter(started_at__gt=since).exists() or was_recovered_lately(user, now)

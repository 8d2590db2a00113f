"""Recoveries of accounts, ready made."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from accounts.identity import tokens
from accounts.identity.models import User
from accounts.recovery.models import CancelLink, RecoveryCase
from accounts.recovery.rules import WAIT
from tests.factories import accounts

INSTANTS = (
    "started_at",
    "first_approved_at",
    "second_approved_at",
    "waits_until",
    "ready_at",
    "ended_at",
    "returned_at",
)


def aged(case: RecoveryCase, by: timedelta) -> RecoveryCase:
    """The case as if all of it had happened earlier."""
    RecoveryCase.objects.filter(pk=case.pk).update(**{name: F(name) - by for name in INSTANTS})
    case.refresh_from_db()
    return case


def ready_case(user: User) -> tuple[RecoveryCase, str, str]:
    """A case whose link was mailed just now; with the tokens that complete it and cancel it."""
    now = timezone.now()
    finish, cancel = tokens.new(), tokens.new()
    case = RecoveryCase.objects.create(
        user=user,
        evidence="Recognised by a call back.",
        state=RecoveryCase.State.READY,
        started_by=accounts.staff(),
        started_at=now - WAIT,
        first_approver=accounts.staff(),
        first_approved_at=now - WAIT,
        second_approver=accounts.staff(),
        second_approved_at=now - WAIT,
        waits_until=now,
        ready_at=now,
        link_hash=tokens.digest(finish),
    )
    CancelLink.objects.create(case=case, token_hash=tokens.digest(cancel))
    return case, finish, cancel

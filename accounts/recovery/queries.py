"""Reads of recoveries; each starts from the person, the case's public id or the token of a link."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.identity import quarantine, tokens
from accounts.identity.models import User
from accounts.recovery import access
from accounts.recovery.models import CancelLink, RecoveryCase

PEOPLE = ("user", "started_by", "first_approver", "second_approver", "ended_by")


def case_named(public_id: UUID) -> RecoveryCase | None:
    """The case with this public id, with everybody in it."""
    return RecoveryCase.objects.select_related(*PEOPLE).filter(public_id=public_id).first()


def unfinished_of(user: User) -> RecoveryCase | None:
    """The recovery of the person's account that is under way, by the clock and not by what was swept."""
    found = RecoveryCase.objects.unfinished().filter(user=user).first()
    return found if found is not None and not found.is_expired(timezone.now()) else None


def link_to_cancel(token: str) -> CancelLink | None:
    """The link of a mail, whether or not its case is still under way."""
    found = CancelLink.objects.select_related("case__user").filter(token_hash=tokens.digest(token))
    return found.first()


def case_behind(token: str) -> RecoveryCase | None:
    """The case that the mailed link ends, whether or not it still works."""
    return RecoveryCase.objects.select_related("user").filter(link_hash=tokens.digest(token)).first()


def is_upheld(case: RecoveryCase) -> bool:
    """Whether everybody who asked for ``case`` or approved it still may, by their accounts and roles now."""
    involved = [(case.started_by_id, access.START)]
    involved += [
        (approver, access.APPROVE)
        for approver in (case.first_approver_id, case.second_approver_id)
        if approver is not None
    ]
    found = User.objects.in_bulk([pk for pk, _permission in involved])
    return all(access.is_still(found.get(pk), permission) for pk, permission in involved)


def was_recovered_lately(user: User, now: datetime) -> bool:
    """Whether the account was recovered by staff, or its person came back, within the quarantine."""
    since = now - timedelta(hours=quarantine.HOURS)
    lately = Q(ended_at__gt=since) | Q(returned_at__gt=since)
    return RecoveryCase.objects.filter(lately, user=user, state=RecoveryCase.State.USED).exists()

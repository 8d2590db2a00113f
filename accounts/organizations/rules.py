"""Pure decisions about organizations; ``now`` is given."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.identity import rules as names

INVITATION_LIFETIME = timedelta(days=7)
KEEP_ENDED_INVITATIONS_FOR = timedelta(days=30)

DEFAULT_GRACE_DAYS = 14
MAX_GRACE_DAYS = 30
STAGES = (7, 3, 1, 0)


def clean_name(name: str) -> str | None:
    """``name`` as it is stored, or ``None`` if it is empty, too long or holds characters that don't show.

    By the sign-up's own rule, so that whatever a sign-up accepted can be founded: a person must never be
    stuck between the two.
    """
    try:
        cleaned = names.clean_name(name)
    except ValueError:
        return None
    return cleaned if 0 < len(cleaned) <= names.MAX_NAME_LENGTH else None


def is_address_of(email: str, invited: str) -> bool:
    """Whether an account's address is the one that was invited, however either was typed."""
    return names.canonical_email(email) == names.canonical_email(invited)


def due_at(*, set_at: datetime, joined_at: datetime, grace_days: int) -> datetime:
    """The instant by which a person has to meet a policy: a grace after it was set, or after they joined.

    Computed from the policy as it stands, and stored nowhere, so that a shorter grace holds at once for
    everyone and nobody who joins later has less time than the others.
    """
    return max(set_at, joined_at) + timedelta(days=grace_days)


def stage_at(*, due_at: datetime, now: datetime) -> int | None:
    """The most urgent reminder that has been reached, in days before ``due_at``; ``None`` before the first.

    After an outage this skips the stages that were missed, so that nobody gets four mails at once.
    """
    reached = [stage for stage in STAGES if due_at - timedelta(days=stage) <= now]
    return min(reached, default=None)

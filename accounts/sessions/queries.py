"""Reads of sessions; each starts from the person."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.identity.models import User
from accounts.sessions.models import AccountSession, StepUpGrant, digest_of


def current_session(request: HttpRequest) -> AccountSession | None:
    """The live session that this request came with, or ``None`` for a stranger."""
    found = getattr(request, "account_session", None)
    return found if isinstance(found, AccountSession) else None


def session_of(request: HttpRequest) -> AccountSession:
    """The session behind a gate that admits only signed-in people; raises ``TypeError`` elsewhere."""
    found = current_session(request)
    if found is None:
        raise TypeError("This view has no gate that asks for a session.")
    return found


def person_of(request: HttpRequest) -> User:
    """The signed-in account; raises ``TypeError`` behind a gate that admits strangers."""
    if not isinstance(request.user, User):
        raise TypeError("This view has no gate that asks for a session.")
    return request.user


def session_of_key(session_key: str) -> AccountSession | None:
    """The session that nobody ended and that ``session_key`` opens."""
    return AccountSession.objects.unended().filter(key_digest=digest_of(session_key)).first()


def live_sessions_of(user: User) -> QuerySet[AccountSession]:
    """The person's live sessions, last seen first."""
    live = AccountSession.objects.live(now=timezone.now(), is_staff=user.is_staff)
    return live.filter(user=user).order_by("-last_seen_at", "-pk")


def open_grants(session: AccountSession, *, action: str, obj: str) -> QuerySet[StepUpGrant]:
    """The unspent permissions of this session for exactly this action on this object."""
    return StepUpGrant.objects.filter(
        session=session, action=action, obj=obj, spent_at=None, expires_at__gt=timezone.now()
    )

"""Reads of sessions; each starts from the person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.identity.models import User
from accounts.sessions import rules
from accounts.sessions.models import AccountSession, StepUpGrant, TrustedBrowser, digest_of
from kellexa_portal.audit import Outcome, Stream
from kellexa_portal.audit.models import Event
from kellexa_portal.audit.queries import events_of


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


def is_new_device(user: User, *, device: str, ip_prefix: str) -> bool:
    """Whether ``user`` was not seen lately with this browser, or not in this network.

    ``device`` and ``ip_prefix`` are as sessions keep them; one that is unknown is not held to be new. Asked
    only of a browser that is not known by its cookie.
    """
    since = timezone.now() - rules.NEW_DEVICE_MEMORY
    seen = AccountSession.objects.filter(user=user, last_seen_at__gt=since).aggregate(
        device=Count("pk", filter=Q(device=device)), network=Count("pk", filter=Q(ip_prefix=ip_prefix))
    )
    return bool((device and not seen["device"]) or (ip_prefix and not seen["network"]))


def live_sessions_of(user: User) -> QuerySet[AccountSession]:
    """The person's live sessions, last seen first."""
    live = AccountSession.objects.live(now=timezone.now(), is_staff=user.is_staff)
    return live.filter(user=user).order_by("-last_seen_at", "-pk")


def trusted_browsers_of(user: User) -> QuerySet[TrustedBrowser]:
    """The browsers in which the password alone signs the person in, trusted last first."""
    live = TrustedBrowser.objects.live(now=timezone.now())
    return live.filter(user=user).order_by("-created_at", "-pk")


def open_grants(session: AccountSession, *, action: str, obj: str) -> QuerySet[StepUpGrant]:
    """The unspent permissions of this session for exactly this action on this object."""
    return StepUpGrant.objects.filter(
        session=session, action=action, obj=obj, spent_at=None, expires_at__gt=timezone.now()
    )


def activity_of(user: User, filters: Mapping[str, Any]) -> QuerySet[Event]:
    """The person's own security log, narrowed by ``area``, ``result`` (done, stopped) and ``days``."""
    events = events_of(Stream.user(user.public_id))
    if area := filters.get("area"):
        events = events.filter(name__startswith=f"{area}.")
    if result := filters.get("result"):
        done = Outcome.SUCCESS.value
        events = events.filter(outcome=done) if result == "done" else events.exclude(outcome=done)
    if days := filters.get("days"):
        events = events.filter(at__gte=timezone.now() - timedelta(days=days))
    return events

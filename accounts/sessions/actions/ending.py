"""How sessions end: by their person, by the staff, by a change of the account, by the clock."""

from __future__ import annotations

from datetime import datetime

from django.contrib import auth
from django.db import transaction
from django.db.models import F, Q
from django.http import HttpRequest
from django.utils import timezone

from accounts.identity import access
from accounts.identity import pending as half_sign_ins
from accounts.identity.models import User
from accounts.sessions import rules
from accounts.sessions.actions.evidence import note
from accounts.sessions.events import SessionEvent
from accounts.sessions.models import AccountSession, StepUpGrant, digest_of
from kellexa_portal.audit import Stream, Target, record
from kellexa_portal.core.actor import Actor

EndReason = AccountSession.EndReason


def sign_out(request: HttpRequest) -> None:
    """Ends the session and the half sign-in of this browser; the cookie's key is worth nothing after it."""
    session = getattr(request, "account_session", None)
    with transaction.atomic():
        if isinstance(session, AccountSession):
            leave(session)
        half_sign_ins.clear(request)
    auth.logout(request)


def leave(session: AccountSession) -> None:
    """Ends ``session`` for the browser that held it, on record."""
    with transaction.atomic():
        if end_row(session, EndReason.SIGNED_OUT):
            note(SessionEvent.SIGNED_OUT, actor=Actor.of(session.user), session=session)


def end_session(
    *, session: AccountSession, actor: Actor, reason: AccountSession.EndReason = EndReason.REVOKED
) -> bool:
    """Ends one session at once; ``False`` when it had ended already.

    For its person, the portal, and administrators of the staff; raises ``NotPermittedError`` for others.
    """
    access.require_say_over(actor, session.user)
    with transaction.atomic():
        ended = end_row(session, reason)
        if ended:
            note(SessionEvent.REVOKED, actor=actor, session=session, reason=reason)
        return ended


def end_sessions(
    *,
    user: User,
    actor: Actor,
    except_key: str | None = None,
    reason: AccountSession.EndReason = EndReason.REVOKED,
) -> int:
    """Ends every session of ``user`` but the one that ``except_key`` opens; answers how many ended.

    The one that lives on takes over the account's present epoch. One event names them all. For the
    person, the portal, and administrators of the staff; raises ``NotPermittedError`` for others.
    """
    access.require_say_over(actor, user)
    with transaction.atomic():
        epoch = User.objects.select_for_update().values_list("security_epoch", flat=True).get(pk=user.pk)
        unended = AccountSession.objects.unended().filter(user=user)
        if except_key:
            kept = unended.filter(key_digest=digest_of(except_key))
            kept.update(epoch=epoch)
            unended = unended.exclude(key_digest=digest_of(except_key))
        ids = [str(public_id) for public_id in unended.values_list("public_id", flat=True)]
        ended = unended.update(ended_at=timezone.now(), end_reason=reason)
        if ended:
            record(
                SessionEvent.OTHERS_REVOKED,
                actor=actor,
                stream=Stream.user(user.public_id),
                target=Target("user", str(user.public_id)),
                reason=reason,
                changes={"sessions": ids},
            )
        return ended


def raise_epoch(*, user: User) -> None:
    """Voids every session, half sign-in, mailed reset and known browser of ``user`` at once.

    A session that shall live on is named to ``end_sessions`` in the same transaction.
    """
    User.objects.filter(pk=user.pk).update(security_epoch=F("security_epoch") + 1)
    user.refresh_from_db(fields=["security_epoch"])


def expire(*, session: AccountSession, reason: rules.Expiry) -> bool:
    """Writes down that ``session`` is over; ``True`` for the one request that found it first."""
    with transaction.atomic():
        ended = end_row(session, EndReason(reason.value))
        if ended:
            note(SessionEvent.EXPIRED, actor=Actor.system("sessions"), session=session, reason=reason)
        return ended


def end_expired(*, actor: Actor, now: datetime) -> int:
    """Writes down, for sessions that the clock has ended and no request found, that they are over.

    Nothing depends on it for admission; without it the row of a browser that never comes back looks open.
    """
    access.require_system(actor)
    ended = 0
    for is_staff in (False, True):
        limits = rules.limits_of(is_staff=is_staff)
        unended = AccountSession.objects.unended().filter(user__is_staff=is_staff)
        over = unended.filter(
            Q(started_at__lte=now - limits.absolute) | Q(last_seen_at__lte=now - limits.idle)
        )
        for session in over.select_related("user").order_by("pk").iterator():
            reason = rules.expiry_of(
                limits=limits, started_at=session.started_at, last_seen_at=session.last_seen_at, now=now
            )
            ended += reason is not None and expire(session=session, reason=reason)
    return ended


def forget_old(*, actor: Actor, now: datetime) -> int:
    """Removes what ended long ago: a list of one's past whereabouts is itself personal data."""
    access.require_system(actor)
    StepUpGrant.objects.filter(expires_at__lt=now - rules.KEEP_ENDED_FOR).delete()
    return AccountSession.objects.filter(ended_at__lt=now - rules.KEEP_ENDED_FOR).delete()[0]


def end_row(session: AccountSession, reason: AccountSession.EndReason) -> bool:
    now = timezone.now()
    ended = AccountSession.objects.unended().filter(pk=session.pk).update(ended_at=now, end_reason=reason)
    if ended:
        session.ended_at, session.end_reason = now, reason
    return bool(ended)

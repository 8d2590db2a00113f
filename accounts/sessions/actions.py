"""Every write to sessions. ``complete_login`` is the one door into the portal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import django_otp
from django.contrib import auth
from django.db import transaction
from django.db.models import F, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device

from accounts.identity import access, known_browser, quarantine
from accounts.identity import pending as half_sign_ins
from accounts.identity.models import PendingSignIn, User
from accounts.sessions import devices, emails, queries, rules, signals
from accounts.sessions.events import SessionEvent
from accounts.sessions.models import AccountSession, StepUpGrant, digest_of
from accounts.sessions.queries import open_grants, session_of
from kellexa_portal.audit import Stream, Target, record
from kellexa_portal.core import context
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault
from kellexa_portal.web.client import prefix_of
from kellexa_portal.web.stepup import Demand, Level

BACKEND = "accounts.sessions.backends.SessionBackend"
EndReason = AccountSession.EndReason


class SignInLapsedError(DomainError):
    """The half sign-in was used, ran out or was overturned between its check and its completion."""

    code = "auth.login.lapsed"
    fault = Fault.CONFLICT
    message = _("This sign-in has ended. Start again with your password.")


class UnprovenDeviceError(DomainError):
    """A factor that is not this person's, or not confirmed, completes nothing (attack case 4)."""

    code = "auth.login.device"
    fault = Fault.FORBIDDEN
    message = _("This sign-in can’t be completed. Start again with your password.")


def complete_login(
    request: HttpRequest,
    *,
    pending: PendingSignIn,
    device: Device,
    method: AccountSession.Method,
) -> AccountSession:
    """Turns a half sign-in whose second factor was just proved into a session; the only such place.

    Consumes ``pending`` under a lock on the account, so parallel proofs make one session (attack case
    11), and starts from an emptied Django session with a new key, so nothing planted or left behind
    comes along (cases 7, 31 and 36). Raises ``SignInLapsedError`` or ``UnprovenDeviceError``.
    """
    with transaction.atomic():
        user = _claim(pending, device)
        _refuse_locked(user, method)
        is_known = known_browser.is_known(request, user)
        _end_former(request)
        request.session.flush()
        auth.login(request, user, backend=BACKEND)  # noqa: TID251  # the one permitted call
        django_otp.login(request, device)
        session, is_new = _open(request, user=user, shown=device, method=method, is_known=is_known)
        _end_excess(user)
        record(
            SessionEvent.LOGIN_SUCCEEDED,
            actor=Actor.of(user),
            stream=Stream.user(user.public_id),
            target=_target(session),
            changes={"method": session.method, "new_device": is_new},
        )
        signals.signed_in.send(sender=AccountSession, session=session, is_new_device=is_new)
    request.account_session = session  # type: ignore[attr-defined]  # read through queries.current_session
    context.amend(session_id=str(session.public_id), authentication=authentication_of(session))
    return session


def _claim(pending: PendingSignIn, device: Device) -> User:
    user = User.objects.select_for_update().filter(pk=pending.user_id, is_active=True).first()
    row = (
        PendingSignIn.objects.select_for_update()
        .filter(pk=pending.pk, expires_at__gt=timezone.now(), epoch=user.security_epoch if user else 0)
        .first()
    )
    if user is None or row is None:
        raise SignInLapsedError
    if device.user_id != user.pk or not device.confirmed or device.pk is None:
        raise UnprovenDeviceError
    row.delete()
    return user


def _refuse_locked(user: User, method: AccountSession.Method) -> None:
    """While an account is locked down, only a password chosen since leads to its second step.

    A passkey alone does not: it may be the one that a thief has added.
    """
    has_password = "pwd" in rules.methods_of(method)
    if user.locked_at is not None and (user.needs_new_password or not has_password):
        raise SignInLapsedError


def _end_former(request: HttpRequest) -> None:
    """Ends the session that this browser had before, so that it does not linger in somebody's list."""
    former = getattr(request, "account_session", None)
    if isinstance(former, AccountSession):
        _sign_out(former)


def _open(
    request: HttpRequest, *, user: User, shown: Device, method: AccountSession.Method, is_known: bool
) -> tuple[AccountSession, bool]:
    """The new session, and whether it is one of a new device."""
    facts = context.current()
    session_key = request.session.session_key
    if session_key is None:
        raise SignInLapsedError
    factor = rules.FACTOR_OF_METHOD[method]
    label, prefix = devices.label_of(facts.user_agent), prefix_of(facts.ip)
    is_new = not is_known and queries.is_new_device(user, device=label, ip_prefix=prefix)
    session = AccountSession(
        user=user,
        key_digest=digest_of(session_key),
        epoch=user.security_epoch,
        device=label,
        ip_prefix=prefix,
        method=method,
        level=rules.LEVEL_TWO_FACTORS,
        methods=list(rules.methods_of(method, is_synced=getattr(shown, "backup_eligible", False))),
        factor=factor,
        factor_at=timezone.now() if factor else None,
    )
    session.save(force_insert=True)
    if is_new and method not in rules.TOLD_ELSEWHERE:
        emails.new_device(session=session)
    return session, is_new


def _end_excess(user: User) -> None:
    """Ends the oldest sessions beyond the limit, so that nobody can hoard rows."""
    newest = AccountSession.objects.unended().filter(user=user).order_by("-started_at", "-pk")
    for session in newest.select_related("user")[rules.MAX_LIVE_SESSIONS :]:
        end_session(session=session, actor=Actor.system("sessions"), reason=EndReason.EXCESS)


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


def sign_out(request: HttpRequest) -> None:
    """Ends the session and the half sign-in of this browser; the cookie's key is worth nothing after it."""
    session = getattr(request, "account_session", None)
    with transaction.atomic():
        if isinstance(session, AccountSession):
            _sign_out(session)
        half_sign_ins.clear(request)
    auth.logout(request)


def end_session(
    *, session: AccountSession, actor: Actor, reason: AccountSession.EndReason = EndReason.REVOKED
) -> bool:
    """Ends one session at once; ``False`` when it had ended already.

    For its person, the portal, and administrators of the staff; raises ``NotPermittedError`` for others.
    """
    access.require_say_over(actor, session.user)
    with transaction.atomic():
        ended = _end(session, reason)
        if ended:
            _record(SessionEvent.REVOKED, actor=actor, session=session, reason=reason)
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
        ended = _end(session, EndReason(reason.value))
        if ended:
            _record(SessionEvent.EXPIRED, actor=Actor.system("sessions"), session=session, reason=reason)
        return ended


def see(*, session: AccountSession) -> None:
    """Notes when and where the session is used, at most once in ``rules.SEEN_EVERY``."""
    now = timezone.now()
    if now - session.last_seen_at < rules.SEEN_EVERY:
        return
    facts: dict[str, Any] = {"last_seen_at": now, "ip_prefix": prefix_of(context.current().ip)}
    AccountSession.objects.unended().filter(pk=session.pk, last_seen_at=session.last_seen_at).update(**facts)
    session.last_seen_at, session.ip_prefix = now, facts["ip_prefix"]


def claim_mark(*, session: AccountSession, epoch: int) -> bool:
    """Whether the browser of ``session`` is still to be marked as known for ``epoch``; true once."""
    if session.browser_epoch == epoch:
        return False
    session.browser_epoch = epoch
    unmarked = AccountSession.objects.unended().filter(pk=session.pk).exclude(browser_epoch=epoch)
    return bool(unmarked.update(browser_epoch=epoch))


def follow(request: HttpRequest) -> None:
    """Keeps the row true to the Django session after a view: a moved key moves it, an emptied one ends it.

    So ``cycle_key`` and ``update_session_auth_hash`` may be called anywhere, and ``flush`` leaves no row
    that looks alive in its owner's list.
    """
    session = getattr(request, "account_session", None)
    if not isinstance(session, AccountSession) or session.ended_at is not None:
        return
    key = request.session.session_key
    if key is None or request.session.get(auth.SESSION_KEY) != str(session.user_id):
        _sign_out(session)
    elif not session.belongs_to_key(key):
        session.key_digest = digest_of(key)
        AccountSession.objects.unended().filter(pk=session.pk).update(key_digest=session.key_digest)


def reverify(request: HttpRequest, *, device: Device, factor: str) -> AccountSession:
    """Binds the session to ``device``, proved just now, under a new key (attack case 31, ASVS 7.2.4).

    ``factor`` is the kind of the device, as ``rules.FACTOR_OF_METHOD`` names it. Raises
    ``SignInLapsedError`` for a session that ended meanwhile, ``UnprovenDeviceError`` for another's device.
    """
    session = session_of(request)
    if device.user_id != session.user_id or not device.confirmed:
        raise UnprovenDeviceError
    now = timezone.now()
    updated = AccountSession.objects.unended().filter(pk=session.pk, epoch=F("user__security_epoch"))
    if not updated.update(proof_at=now, factor_at=now, factor=factor):
        raise SignInLapsedError
    session.proof_at, session.factor_at, session.factor = now, now, factor
    request.session.cycle_key()
    django_otp.login(request, device)
    follow(request)
    return session


def step_up(request: HttpRequest, *, demand: Demand, device: Device, factor: str) -> None:
    """Notes that ``device`` was shown just now for ``demand``; earns the one permission that it asks for."""
    with transaction.atomic():
        session = reverify(request, device=device, factor=factor)
        if demand.level is Level.ONCE:
            StepUpGrant.objects.create(
                session=session,
                action=demand.action,
                obj=demand.obj,
                factor=factor,
                expires_at=timezone.now() + rules.GRANT_LIFETIME,
            )
        record(
            SessionEvent.STEPPED_UP,
            actor=Actor.of(session.user),
            stream=Stream.user(session.user.public_id),
            target=_target(session),
            changes={
                "level": demand.level.name.lower(),
                "factor": factor,
                "action": demand.action,
                "object": demand.obj,
            },
        )


def require_fresh_proof(*, session: AccountSession) -> None:
    """Forgets what the session has shown so far: whatever asks for a proof asks for a new one.

    For the portal's own doubts about a sign-in. The session stays: what is open to anybody signed in is.
    """
    with transaction.atomic():
        StepUpGrant.objects.filter(session=session, spent_at=None).delete()
        AccountSession.objects.filter(pk=session.pk).update(proof_at=rules.NEVER, factor="", factor_at=None)
    session.proof_at, session.factor, session.factor_at = rules.NEVER, "", None


def spend_grant(*, session: AccountSession, demand: Demand) -> bool:
    """Uses up the permission for ``demand``; true for one of any number of parallel requests."""
    wanted = open_grants(session, action=demand.action, obj=demand.obj)
    grant = wanted.order_by("pk").first()
    return grant is not None and bool(wanted.filter(pk=grant.pk).update(spent_at=timezone.now()))


def note_export(*, actor: Actor, user: User, filters: Mapping[str, Any]) -> None:
    """Puts on record that the person took their security log away.

    Raises ``NotPermittedError`` for others.
    """
    access.require_oneself(actor, user)
    quarantine.require_free(user)
    with transaction.atomic():
        record(
            SessionEvent.ACTIVITY_EXPORTED,
            actor=actor,
            stream=Stream.user(user.public_id),
            target=Target("user", str(user.public_id)),
            changes={name: str(value) for name, value in filters.items()},
        )


def authentication_of(session: AccountSession) -> context.Authentication:
    """How the session proved itself, for evidence."""
    return context.Authentication(session.level, tuple(session.methods), session.started_at)


def _sign_out(session: AccountSession) -> None:
    """Ends ``session`` for the browser that held it, on record."""
    with transaction.atomic():
        if _end(session, EndReason.SIGNED_OUT):
            _record(SessionEvent.SIGNED_OUT, actor=Actor.of(session.user), session=session)


def _end(session: AccountSession, reason: AccountSession.EndReason) -> bool:
    now = timezone.now()
    ended = AccountSession.objects.unended().filter(pk=session.pk).update(ended_at=now, end_reason=reason)
    if ended:
        session.ended_at, session.end_reason = now, reason
    return bool(ended)


def _target(session: AccountSession) -> Target:
    return Target("session", str(session.public_id))


def _record(event: SessionEvent, *, actor: Actor, session: AccountSession, reason: str = "") -> None:
    stream = Stream.user(session.user.public_id)
    record(event, actor=actor, stream=stream, target=_target(session), reason=str(reason))

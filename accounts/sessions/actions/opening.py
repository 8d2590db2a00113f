"""``complete_login``, the one door into the portal."""

from __future__ import annotations

import django_otp
from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django_otp.models import Device

from accounts.identity import known_browser
from accounts.identity.models import PendingSignIn, User
from accounts.sessions import devices, emails, queries, rules, signals
from accounts.sessions.actions.ending import EndReason, end_session, leave
from accounts.sessions.actions.errors import SignInLapsedError, UnprovenDeviceError
from accounts.sessions.actions.evidence import authentication_of, target_of
from accounts.sessions.doors import pass_guards
from accounts.sessions.events import SessionEvent
from accounts.sessions.models import AccountSession, digest_of
from kellexa_portal.audit import Stream, record
from kellexa_portal.core import context
from kellexa_portal.core.actor import Actor
from kellexa_portal.web.client import prefix_of

BACKEND = "accounts.sessions.backends.SessionBackend"


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
        _refuse_locked(user, pending, method)
        pass_guards(user, pending)
        is_known = known_browser.is_known(request, user)
        _end_former(request)
        request.session.flush()
        auth.login(request, user, backend=BACKEND)  # noqa: TID251  # the one permitted call
        django_otp.login(request, device)
        is_federated = pending.via == PendingSignIn.Via.SSO
        session, is_new = _open(
            request, user=user, shown=device, method=method, is_known=is_known, is_federated=is_federated
        )
        _end_excess(user)
        record(
            SessionEvent.LOGIN_SUCCEEDED,
            actor=Actor.of(user),
            stream=Stream.user(user.public_id),
            target=target_of(session),
            changes={"method": session.method, "via": pending.via, "new_device": is_new},
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


def _refuse_locked(user: User, pending: PendingSignIn, method: AccountSession.Method) -> None:
    """While an account is locked down, only a password chosen since leads to its second step.

    A passkey alone does not: it may be the one that a thief has added. Nor does an identity provider, where
    the thief may sit.
    """
    has_password = "pwd" in rules.methods_of(method) and pending.via == PendingSignIn.Via.PASSWORD
    if user.locked_at is not None and (user.needs_new_password or not has_password):
        raise SignInLapsedError


def _end_former(request: HttpRequest) -> None:
    """Ends the session that this browser had before, so that it does not linger in somebody's list."""
    former = getattr(request, "account_session", None)
    if isinstance(former, AccountSession):
        leave(former)


def _open(
    request: HttpRequest,
    *,
    user: User,
    shown: Device,
    method: AccountSession.Method,
    is_known: bool,
    is_federated: bool,
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
        level=rules.level_of(method),
        methods=list(
            rules.methods_of(
                method, is_synced=getattr(shown, "backup_eligible", False), is_federated=is_federated
            )
        ),
        proof_at=rules.NEVER if method == AccountSession.Method.TRUSTED else timezone.now(),
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

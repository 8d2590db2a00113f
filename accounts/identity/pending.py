"""Between password and second factor. The browser holds only the name of a row; nobody is signed in.

``request.user`` stays anonymous until ``accounts.sessions.actions.complete_login``, so no view can take
half a sign-in for a whole one (attack cases 2, 3 and 20).
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identity import rules
from accounts.identity.models import PendingSignIn, User
from kellexa_portal.core.errors import DomainError, Fault

SESSION_KEY = "pending_sign_in"


class SignInOverturnedError(DomainError):
    """The account changed between the check of its password and the start of the second step."""

    code = "auth.login.overturned"
    fault = Fault.CONFLICT
    message = _("The account changed while you signed in. Start again.")


def start(
    request: HttpRequest, *, user: User, next_url: str, via: PendingSignIn.Via = PendingSignIn.Via.PASSWORD
) -> PendingSignIn:
    """Begins the second step for ``user``, whose password was just proved on this very instance.

    Or, with another ``via``, for whom their identity provider has vouched.

    The session is emptied and gets a new key, so neither a planted session id nor anything left by an
    earlier visitor survives (attack cases 7, 31 and 36). Refuses when the password, the epoch or the
    activity of the account changed since ``user`` was read.
    """
    with transaction.atomic():
        unchanged = User.objects.select_for_update().filter(
            pk=user.pk, password=user.password, security_epoch=user.security_epoch, is_active=True
        )
        if not unchanged.exists():
            raise SignInOverturnedError
        pending = _begin(user, next_url, via)
    request.session.flush()
    request.session[SESSION_KEY] = str(pending.public_id)
    return pending


def start_for_passkey(request: HttpRequest, *, user: User, next_url: str) -> PendingSignIn:
    """A half sign-in for ``user``, whose passkey was just proved, to be completed in the same transaction.

    ``user`` is locked by the caller. What the browser had begun with a password is abandoned, so that
    nothing of it comes along (attack case 7). Raises ``SignInOverturnedError`` for a deactivated account.
    """
    if not user.is_active:
        raise SignInOverturnedError
    clear(request)
    return _begin(user, next_url, PendingSignIn.Via.PASSKEY)


def _begin(user: User, next_url: str, via: PendingSignIn.Via) -> PendingSignIn:
    return PendingSignIn.objects.create(
        user=user,
        via=via,
        epoch=user.security_epoch,
        next_url=next_url[:2048],
        expires_at=timezone.now() + rules.PENDING_LIFETIME,
    )


def current(request: HttpRequest) -> PendingSignIn | None:
    """The live half sign-in of this browser, or ``None``: unknown, too old, out of tries, or overturned."""
    public_id = _named(request)
    if public_id is None:
        return None
    return (
        PendingSignIn.objects.select_related("user")
        .filter(
            public_id=public_id,
            expires_at__gt=timezone.now(),
            tries__lt=rules.PENDING_TRIES,
            user__is_active=True,
            user__security_epoch=F("epoch"),
        )
        .first()
    )


def spend_try(pending: PendingSignIn) -> bool:
    """Takes one of the tries; ``False`` when none is left. Ask before looking at a code, never after.

    One conditional UPDATE, so fifty parallel guesses get five answers (attack cases 10 and 11).
    """
    taken = PendingSignIn.objects.filter(
        pk=pending.pk, tries__lt=rules.PENDING_TRIES, expires_at__gt=timezone.now()
    ).update(tries=F("tries") + 1)
    if taken:
        pending.tries += 1
    return bool(taken)


def clear(request: HttpRequest) -> None:
    """Abandons the half sign-in of this browser, if there is one."""
    public_id = _named(request)
    request.session.pop(SESSION_KEY, None)
    if public_id is not None:
        PendingSignIn.objects.filter(public_id=public_id).delete()


def _named(request: HttpRequest) -> UUID | None:
    try:
        return UUID(str(request.session[SESSION_KEY]))
    except (KeyError, ValueError):
        return None

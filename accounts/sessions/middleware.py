"""Asks on every request whether the session still counts. Closed by default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.identity import known_browser
from accounts.identity.models import User
from accounts.sessions import actions, devices, rules, signals
from accounts.sessions.models import AccountSession
from accounts.sessions.queries import current_session, session_of_key
from accounts.sessions.rules import Expiry
from kellexa_portal.core import context
from kellexa_portal.web.client import prefix_of

SENTENCES: dict[Expiry, str | Promise] = {
    Expiry.IDLE: _("You were signed out because the session was not used for a while."),
    Expiry.ABSOLUTE: _("You were signed out because the session had reached its longest time."),
}
ENDED = _("That session has ended. Sign in again to go on.")


class AccountSessionMiddleware:
    """Lets a Django session count as signed in only while its ``AccountSession`` row is good.

    A row that is missing, ended, of an older epoch, idle or too old, an account that was deactivated or
    a factor that was removed makes the very request that finds it anonymous and empties the session
    (attack cases 28, 32, 33 and 34). A session that was not made by ``complete_login`` has no row.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.account_session = None  # type: ignore[attr-defined]  # read through queries.current_session
        if SESSION_KEY in request.session:
            self._admit(request)
        response = self.get_response(request)
        actions.follow(request)
        self._remember_browser(request, response)
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Says why the person is asked to sign in again, once messages can be left."""
        sentence = getattr(request, "session_ended_because", None)
        if sentence is not None:
            messages.info(request, str(sentence))

    def _remember_browser(self, request: HttpRequest, response: HttpResponse) -> None:
        """Keeps the browser of a live session known, so that strangers' failures don't reach its budget.

        Here and not at the sign-in alone: a change of password or factor makes the old mark worthless, and
        the session that lives on has earned a new one. One a session and epoch: each mark buys a budget of
        tries, and a stolen session must not mint them.
        """
        session, user = current_session(request), request.user
        if session is None or session.ended_at is not None or not isinstance(user, User):
            return
        if actions.claim_mark(session=session, epoch=user.security_epoch):
            known_browser.mark(response, user)

    def _admit(self, request: HttpRequest) -> None:
        session = session_of_key(request.session.session_key or "")
        reason = _verdict(request, session)
        if session is not None and reason is None and _is_still_good(session):
            request.account_session = session  # type: ignore[attr-defined]  # see __call__
            actions.see(session=session)
            authentication = actions.authentication_of(session)
            context.amend(session_id=str(session.public_id), authentication=authentication)
            return
        if session is not None and reason is not None:
            actions.expire(session=session, reason=reason)
        request.session.flush()
        request.user = AnonymousUser()
        sentence = SENTENCES.get(reason, ENDED) if reason else ENDED
        request.session_ended_because = sentence  # type: ignore[attr-defined]  # for process_view


def _is_still_good(session: AccountSession) -> bool:
    """Whether ``session`` lives on after those above heard that it moved to another network."""
    facts = context.current()
    prefix = prefix_of(facts.ip)
    if prefix != session.ip_prefix:
        device = devices.label_of(facts.user_agent)
        signals.moved.send(sender=AccountSession, session=session, device=device, ip_prefix=prefix)
    return session.ended_at is None


def _verdict(request: HttpRequest, session: AccountSession | None) -> Expiry | None:
    """Why ``session`` no longer counts, or ``None`` when it does or is not there at all."""
    if session is None:
        return None
    user = request.user
    if not isinstance(user, User) or user.pk != session.user_id:
        return Expiry.INACTIVE
    if session.epoch != user.security_epoch:
        return Expiry.EPOCH
    if not user.is_verified():  # type: ignore[attr-defined]  # OTPMiddleware adds it
        return Expiry.UNVERIFIED
    return rules.expiry_of(
        limits=rules.limits_of(is_staff=user.is_staff),
        started_at=session.started_at,
        last_seen_at=session.last_seen_at,
        now=timezone.now(),
    )

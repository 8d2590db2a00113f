"""What each request of a session writes down."""

from __future__ import annotations

from typing import Any

from django.contrib import auth
from django.http import HttpRequest
from django.utils import timezone

from accounts.sessions import rules
from accounts.sessions.actions.ending import leave
from accounts.sessions.models import AccountSession, digest_of
from kellexa_portal.core import context
from kellexa_portal.web.client import prefix_of


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
        leave(session)
    elif not session.belongs_to_key(key):
        session.key_digest = digest_of(key)
        AccountSession.objects.unended().filter(pk=session.pk).update(key_digest=session.key_digest)

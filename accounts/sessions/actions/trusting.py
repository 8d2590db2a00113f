"""Trust given to a browser, used, and taken back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identity import access
from accounts.identity.models import User
from accounts.sessions import emails, rules, trust
from accounts.sessions.events import SessionEvent
from accounts.sessions.models import AccountSession, TrustedBrowser
from kellexa_portal.audit import Stream, Target, record
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault


class TrustRefusedError(DomainError):
    """This person, or this way of signing in, leaves no browser trusted."""

    code = "session.trust_refused"
    fault = Fault.FORBIDDEN
    message = _("This browser can’t be trusted now.")


@dataclass(frozen=True, slots=True)
class NewTrust:
    """The row, and the token that only the browser keeps."""

    browser: TrustedBrowser
    token: str = field(repr=False)


def trust_browser(*, actor: Actor, session: AccountSession) -> NewTrust:
    """Lets the password alone sign in from the browser of ``session``, whose factor was shown just now.

    The oldest trust beyond the limit goes. Raises ``TrustRefusedError`` or ``NotPermittedError``.
    """
    access.require_oneself(actor, session.user)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=session.user_id)
        is_fresh = rules.is_recent(session.factor_at, now=timezone.now())
        if session.method not in rules.MAY_TRUST or not is_fresh or session.ended_at is not None:
            raise TrustRefusedError
        if session.epoch != user.security_epoch or not trust.may_be_offered(user):
            raise TrustRefusedError
        token, now = trust.new_token(), timezone.now()
        browser = TrustedBrowser.objects.create(
            user=user,
            token_digest=trust.digest_of(token),
            epoch=user.security_epoch,
            device=session.device,
            ip_prefix=session.ip_prefix,
            created_at=now,
            expires_at=now + rules.TRUST_LIFETIME,
        )
        newest = TrustedBrowser.objects.filter(user=user).order_by("-created_at", "-pk")
        _forget(user, newest[rules.MAX_TRUSTED_BROWSERS :], actor=Actor.system("sessions"), reason="excess")
        _note(SessionEvent.TRUSTED, actor=actor, user=user, ids=[browser.public_id])
        emails.browser_trusted(user=user, browser=browser)
        return NewTrust(browser, token)


def use_trust(*, browser: TrustedBrowser) -> bool:
    """Whether ``browser`` still counts at this instant; notes its use. Inside the transaction of the sign-in.

    One conditional UPDATE, so trust that is being taken back signs in before that or not at all.
    """
    now = timezone.now()
    return bool(TrustedBrowser.objects.live(now=now).filter(pk=browser.pk).update(last_used_at=now))


def forget_browser(*, actor: Actor, user: User, public_id: UUID) -> bool:
    """Takes trust back from one browser; ``False`` when there is none of this name (attack case 43)."""
    access.require_say_over(actor, user)
    with transaction.atomic():
        return bool(_forget(user, TrustedBrowser.objects.filter(user=user, public_id=public_id), actor=actor))


def forget_browsers(*, actor: Actor, user: User, but: TrustedBrowser | None = None, reason: str = "") -> int:
    """Takes trust back from every browser of ``user``, or every one but this; answers from how many."""
    access.require_say_over(actor, user)
    with transaction.atomic():
        rows = TrustedBrowser.objects.filter(user=user)
        return _forget(user, rows.exclude(pk=but.pk) if but else rows, actor=actor, reason=reason)


def forget_browsers_of_members(*, actor: Actor, users: Collection[User]) -> None:
    """Takes all trust back from people of whom a passkey is asked from now on (attack case 35)."""
    access.require_system(actor)
    for user in users:
        forget_browsers(actor=actor, user=user, reason="policy")


def forget_void(*, actor: Actor, now: datetime) -> int:
    """Removes trust that is too old, or that a change of the account has voided."""
    access.require_system(actor)
    live = TrustedBrowser.objects.live(now=now).values("pk")
    return TrustedBrowser.objects.exclude(pk__in=live).delete()[0]


def _forget(user: User, rows: Collection[TrustedBrowser], *, actor: Actor, reason: str = "") -> int:
    found = list(rows)
    if not found:
        return 0
    gone, _rows = TrustedBrowser.objects.filter(pk__in=[row.pk for row in found]).delete()
    if gone:
        ids = [row.public_id for row in found]
        _note(SessionEvent.TRUST_WITHDRAWN, actor=actor, user=user, ids=ids, reason=reason)
    return gone


def _note(event: SessionEvent, *, actor: Actor, user: User, ids: list[UUID], reason: str = "") -> None:
    record(
        event,
        actor=actor,
        stream=Stream.user(user.public_id),
        target=Target("user", str(user.public_id)),
        reason=reason,
        changes={"browsers": [str(public_id) for public_id in ids]},
    )

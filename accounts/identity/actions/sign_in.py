"""The password step of a sign-in: budgets first, one hash for everybody, every refusal on record."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.identity import challenges, limits, passwords, queries
from accounts.identity.events import IdentityEvent
from accounts.identity.known_browser import BrowserCookies
from accounts.identity.models import User
from kellexa_portal.audit import Outcome, Stream, Target, record_independently
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault
from kellexa_portal.ratelimit import Limit, TooManyAttempts, WhenDown, clear, refund, spend


class SignInRefusedError(DomainError):
    """Wrong password, no such account, or an inactive one: nobody is told which."""

    code = "auth.login.refused"
    fault = Fault.INVALID
    message = _("The email or the password isn’t right.")


class LockedDownError(DomainError):
    """The password is right, and a thief may know it: the account was locked down since it was chosen."""

    code = "auth.login.locked_down"
    fault = Fault.FORBIDDEN
    message = _(
        "This account is locked down. Choose a new password first: we mail you a link. Then sign in with it "
        "and your second factor."
    )


def prove_password(*, actor: Actor, email: str, password: str, browser: BrowserCookies) -> User:
    """The account that ``email`` and ``password`` belong to; the second factor is still to come.

    Budgets: a network, whoever it asks for; an account from unknown browsers, by canonical address and so
    also without an account; each known browser its own, so that a stranger's attempts never lock the owner
    out (attack case 13); unknown browsers of a network from which many accounts were tried, a narrower one
    (``challenges``); and a hundred failures in 30 days from unknown browsers, forgotten at a success from
    one or a reset. Each attempt is spent before the password is looked at, so that a refusal never tells
    whether it was right; a success gives back its own unit and no other's (case 18). Raises
    ``SignInRefusedError``, ``TooManyAttempts`` or, to who knows the password of a locked account,
    ``LockedDownError``; all are on record although the request rolls back.
    """
    network = limits.network()
    known = queries.account_of(email)
    _spend_network(actor, limits.LOGIN_BY_NETWORK, network)
    limit, subject = _account_budget(email, known, browser)
    is_challenged = limit is limits.LOGIN_BY_ACCOUNT and challenges.is_on(network)
    if is_challenged:
        _spend_network(actor, challenges.LOGIN_UNDER_CHALLENGE, network)
    in_a_row = limits.address(email) if limit is limits.LOGIN_BY_ACCOUNT else ""
    _spend_account(actor, known, limit, subject)
    if in_a_row:
        _spend_account(actor, known, limits.LOGIN_IN_A_ROW, in_a_row)
    if known is not None and known.is_staff:
        # Staff see every customer: without the counter store nobody signs in as staff (fail closed).
        _spend_account(actor, known, limits.STAFF_LOGIN, str(known.public_id), when_down=WhenDown.REFUSE)
    if not passwords.proves(known, password) or known is None:
        if known is not None and known.is_staff:
            # It counts right passwords: a stranger's wrong ones must lock nobody out.
            refund(limits.STAFF_LOGIN, str(known.public_id))
        _note(IdentityEvent.LOGIN_FAILED, actor, known, Outcome.FAILURE, SignInRefusedError.code)
        raise SignInRefusedError
    refund(limits.LOGIN_BY_NETWORK, network)
    if is_challenged:
        refund(challenges.LOGIN_UNDER_CHALLENGE, network)
    refund(limit, subject)
    if in_a_row:
        clear(limits.LOGIN_IN_A_ROW, in_a_row)
    if known.needs_new_password:
        _note(IdentityEvent.LOGIN_DENIED, actor, known, Outcome.DENIED, LockedDownError.code)
        raise LockedDownError
    return known


def _account_budget(email: str, known: User | None, browser: BrowserCookies) -> tuple[Limit, str]:
    browser_id = browser.id_for(known) if known is not None else ""
    if browser_id:
        return limits.LOGIN_BY_KNOWN_BROWSER, browser_id
    return limits.LOGIN_BY_ACCOUNT, limits.address(email)


def _spend_network(actor: Actor, limit: Limit, network: str) -> None:
    """One denial a period and network goes on record: a flood must not fill the evidence."""
    decision = spend(limit, network)
    if decision.allowed:
        return
    if spend(limits.DENIAL_ON_RECORD, network).allowed:
        _note(IdentityEvent.LOGIN_DENIED, actor, None, Outcome.DENIED, limit.name)
    raise TooManyAttempts(retry_after=decision.retry_after_seconds)


def _spend_account(
    actor: Actor,
    known: User | None,
    limit: Limit,
    subject: str,
    *,
    when_down: WhenDown = WhenDown.POSTGRES,
) -> None:
    decision = spend(limit, subject, when_down=when_down)
    if not decision.allowed:
        _note(IdentityEvent.LOGIN_DENIED, actor, known, Outcome.DENIED, limit.name)
        raise TooManyAttempts(retry_after=decision.retry_after_seconds)


def _note(event: IdentityEvent, actor: Actor, known: User | None, outcome: Outcome, reason: str) -> None:
    record_independently(
        event,
        actor=actor,
        stream=Stream.user(known.public_id) if known else Stream.system(),
        target=Target("user", str(known.public_id)) if known else None,
        outcome=outcome,
        reason=reason,
    )

"""An authenticator's clock read anew: two codes in a row tell how far it is off, and nothing less does."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TypedDict

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identity.models import PendingSignIn, User
from accounts.identity.rules import PENDING_TRIES
from accounts.mfa import emails, rules
from accounts.mfa.actions.guesses import NoTriesLeftError, WrongCodeError, admit, refuse
from accounts.mfa.budgets import Purse
from accounts.mfa.events import MfaEvent
from accounts.mfa.models import Resync, TotpDevice
from accounts.mfa.queries import authenticator_of, resync_under_way
from accounts.sessions.actions import SignInLapsedError, complete_login, reverify
from accounts.sessions.models import AccountSession
from accounts.sessions.queries import session_of
from kellexa_portal.audit import Stream, Target, record
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault
from kellexa_portal.core.ids import uuid7


class NotTheNextCodeError(DomainError):
    """A right code, but not the one after the first, or typed when it had just changed."""

    code = "auth.mfa.not_the_next_code"
    fault = Fault.INVALID
    message = _(
        "This is not the code right after the first, or it had just changed. Wait until the app shows "
        "another code and type that one at once."
    )


class Taken(StrEnum):
    """What became of one code."""

    FIRST = "first"
    ANOTHER = "another"
    PAIR = "pair"
    WRONG = "wrong"
    REPLAYED = "replayed"


REFUSALS = {Taken.WRONG: MfaEvent.CODE_REFUSED, Taken.REPLAYED: MfaEvent.CODE_REPLAYED}


class Ceremony(TypedDict, total=False):
    """What a first code is bound to: one of the two."""

    pending: PendingSignIn
    session: AccountSession


def resync_at_sign_in(
    request: HttpRequest, *, pending: PendingSignIn, code: str, browser: str
) -> AccountSession | None:
    """Takes the first code of a pair, or completes the sign-in with the second; ``code`` is canonical.

    Answers ``None`` while the second is awaited. Each code costs a try and a guess, right or wrong, so the
    wider window tells a stranger nothing that the budgets would not; the pair alone gives a guess back.
    Raises ``NotTheNextCodeError``, ``WrongCodeError``, ``NoTriesLeftError``, ``TooManyAttempts`` or
    ``SignInLapsedError``. Source: RFC 6238 section 6 and RFC 4226 section 7.4.
    """
    if pending.stage != PendingSignIn.Stage.VERIFY:
        raise SignInLapsedError
    purse = Purse(pending.user, browser)
    borne = admit(purse=purse, pending=pending)
    session = None
    with transaction.atomic():
        device, taken = _take(pending.user, {"pending": pending}, code, now=timezone.now())
        if device is not None and taken is Taken.PAIR:
            session = complete_login(
                request, pending=pending, device=device, method=AccountSession.Method.TOTP
            )
    if taken in REFUSALS:
        refuse(REFUSALS[taken], user=pending.user, borne=borne, pending=pending)
        raise NoTriesLeftError if pending.tries >= PENDING_TRIES else WrongCodeError
    return _settle(taken, session, purse)


def resync_by_session(request: HttpRequest, *, code: str) -> AccountSession | None:
    """The same for a signed-in person, whose session gets a new key by the second code (attack case 31).

    Raises ``NotTheNextCodeError``, ``WrongCodeError`` or ``TooManyAttempts``.
    """
    session = session_of(request)
    purse = Purse(session.user, str(session.public_id))
    borne = admit(purse=purse)
    renewed = None
    with transaction.atomic():
        device, taken = _take(session.user, {"session": session}, code, now=timezone.now())
        if device is not None and taken is Taken.PAIR:
            renewed = reverify(request, device=device, factor="totp")
    if taken in REFUSALS:
        refuse(REFUSALS[taken], user=session.user, borne=borne)
        raise WrongCodeError
    return _settle(taken, renewed, purse)


def _settle(taken: Taken, session: AccountSession | None, purse: Purse) -> AccountSession | None:
    """The end of both, outside the transaction: what was kept stays kept, whatever is raised."""
    if taken is Taken.ANOTHER:
        raise NotTheNextCodeError
    if session is not None:
        purse.give_back()
    return session


def _take(person: User, ceremony: Ceremony, code: str, *, now: datetime) -> tuple[TotpDevice | None, Taken]:
    """Looks at one code, the person's row locked. A later code than the first takes its place."""
    user = User.objects.select_for_update().get(pk=person.pk)
    device = authenticator_of(user)
    reading = rules.read(device.open_seed(), code, now=now) if device is not None else None
    if device is None or reading is None:
        return device, Taken.WRONG
    if reading.step <= device.last_step:
        return device, Taken.REPLAYED
    row = resync_under_way(**ceremony)
    first = row.reading if row is not None and row.device_id == device.pk else None
    if first is not None and rules.confirms(reading, first=first):
        return device, Taken.PAIR if _set(device, reading, first=first, now=now) else Taken.REPLAYED
    if first is None or reading.step > first.step:
        values = {"device": device, "step": reading.step, "drift": reading.drift, "created_at": now}
        Resync.objects.update_or_create(**ceremony, defaults=values)
    return device, Taken.FIRST if first is None else Taken.ANOTHER


def _set(device: TotpDevice, reading: rules.Reading, *, first: rules.Reading, now: datetime) -> bool:
    """Sets the clock and burns both codes in one conditional UPDATE; whether neither was burned before."""
    moved = TotpDevice.objects.filter(pk=device.pk, last_step__lt=first.step).update(
        drift=reading.drift, last_step=reading.step, last_used_at=now
    )
    if moved:
        Resync.objects.filter(device=device).delete()
        _note(device, before=device.drift, after=reading.drift)
    return bool(moved)


def _note(device: TotpDevice, *, before: int, after: int) -> None:
    user = device.user
    record(
        MfaEvent.RESYNCED,
        actor=Actor.of(user),
        stream=Stream.user(user.public_id),
        target=Target("user", str(user.public_id)),
        changes={"factor": "totp", "before": before, "after": after},
    )
    emails.clock_read_anew(user=user, event_id=uuid7().hex)

"""A trip to the provider and back, by one browser, once."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identity import access as people
from accounts.organizations.models import Membership
from accounts.sso import oidc, rules
from accounts.sso.actions.evidence import note_refusal
from accounts.sso.events import SsoEvent
from accounts.sso.models import Attempt, Connection
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault
from kellexa_portal.web.links import absolute

BROWSER = "sso_browser"


class TripLapsedError(DomainError):
    """The answer fits no trip of this browser: too old, used, another browser's, or made up."""

    code = "auth.sso.lapsed"
    fault = Fault.CONFLICT
    message = _("This sign-in has expired or was used. Start again.")


class ProviderRefusedError(DomainError):
    """The provider sent the person back without its word, or with one that does not hold."""

    code = "auth.sso.refused"
    fault = Fault.FORBIDDEN
    message = _(
        "Your organization’s identity provider did not confirm who you are (%(reason)s). Try again; if it "
        "stays so, show this to whoever runs it."
    )


@dataclass(frozen=True, slots=True)
class Return:
    """Who came back, from which trip."""

    attempt: Attempt
    identity: rules.Identity


def set_out(
    request: HttpRequest,
    *,
    connection: Connection,
    next_url: str = "",
    login_hint: str = "",
    tester: Membership | None = None,
) -> str:
    """Begins a trip for this browser; answers the provider's address to go to."""
    trip = oidc.Trip.new()
    browser = request.session.get(BROWSER)
    if not isinstance(browser, str):
        browser = request.session[BROWSER] = secrets.token_urlsafe(rules.STATE_BYTES)
    attempt = Attempt(
        connection=connection,
        tester=tester,
        state_digest=_digest(trip.state),
        browser_digest=_digest(browser),
        nonce=trip.nonce,
        next_url=next_url[:2048],
        expires_at=timezone.now() + rules.ATTEMPT_LIFETIME,
    )
    attempt.close_verifier(trip.verifier)
    attempt.save(force_insert=True)
    return oidc.address_to(client_of(connection), trip, login_hint=login_hint)


def come_back(
    request: HttpRequest, *, connection: Connection, state: str, code: str, issuer: str, error: str
) -> Return:
    """Uses up the trip that ``state`` names and asks the provider whom it vouches for.

    The trip is gone before the provider is asked, so an answer counts once, however often and wherever it is
    sent. Raises ``TripLapsedError``, or ``ProviderRefusedError``, which is on record.
    """
    attempt = _take(request, connection, state)
    try:
        oidc.check_answer(client_of(connection), issuer=issuer, code=code, error=error)
        identity = oidc.identity_for(
            client_of(connection), code=code, verifier=attempt.open_verifier(), nonce=attempt.nonce
        )
    except oidc.ProviderError as refusal:
        note_refusal(
            SsoEvent.TEST_FAILED if attempt.tester_id else SsoEvent.REFUSED,
            actor=Actor.anonymous(),
            organization=connection.organization,
            reason=str(refusal),
        )
        raise ProviderRefusedError(reason=str(refusal)) from refusal
    return Return(attempt, identity)


def client_of(connection: Connection) -> oidc.Client:
    """The portal as the provider knows it."""
    return oidc.Client(
        issuer=connection.issuer,
        client_id=connection.client_id,
        metadata=connection.metadata,
        redirect_uri=absolute("sso:callback", public_id=connection.public_id),
        secret=connection.open_secret(),
    )


def forget_old(*, actor: Actor, now: datetime) -> int:
    """Removes trips that nobody came back from."""
    people.require_system(actor)
    return Attempt.objects.filter(expires_at__lte=now).delete()[0]


def _take(request: HttpRequest, connection: Connection, state: str) -> Attempt:
    browser = request.session.get(BROWSER)
    if not state or not isinstance(browser, str):
        raise TripLapsedError
    with transaction.atomic():
        attempt = (
            Attempt.objects.select_for_update(of=("self",))
            .select_related("connection__organization", "tester__user")
            .filter(
                connection=connection,
                state_digest=_digest(state),
                browser_digest=_digest(browser),
                expires_at__gt=timezone.now(),
            )
            .first()
        )
        if attempt is None:
            raise TripLapsedError
        Attempt.objects.filter(pk=attempt.pk).delete()
    return attempt


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()

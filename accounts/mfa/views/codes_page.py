"""Recovery codes on their way to the one page that shows them."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from accounts.identity.models import User
from accounts.mfa.actions.recovery import NewRecoveryCodes
from accounts.sessions import handover

PURPOSE = "recovery-codes"


def give(fresh: NewRecoveryCodes, *, user: User, holder: UUID) -> None:
    """Keeps the codes for the page that ``holder``, a session or half sign-in, opens next."""
    handover.give(user=user, holder=holder, purpose=PURPOSE, secret=" ".join(fresh.codes))


@sensitive_variables("codes")
def take(request: HttpRequest, *, user: User, holder: UUID) -> tuple[str, ...]:
    """The codes, this once; none for a HEAD, which would take what nobody sees."""
    if request.method != "GET":
        return ()
    codes = handover.take(user=user, holder=holder, purpose=PURPOSE)
    return tuple(codes.split()) if codes else ()

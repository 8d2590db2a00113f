"""Questions to authenticators: kept on the server, asked of one browser for one purpose, answered once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identity import access, limits, tokens
from accounts.identity.models import PendingSignIn
from accounts.mfa import rules, webauthn
from accounts.mfa.budgets import CHALLENGES_BY_NETWORK
from accounts.mfa.models import PasskeyChallenge
from accounts.sessions.models import AccountSession
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault
from kellexa_portal.ratelimit import raise_if_spent

Purpose = PasskeyChallenge.Purpose


class ChallengeSpentError(DomainError):
    """The answer is to a question that was not asked here, was answered before, or is too old."""

    code = "auth.passkey.challenge"
    fault = Fault.INVALID
    message = _("This took too long, or it was sent twice. Try again.")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for what: a browser that signs in, a half sign-in, or a session."""

    purpose: PasskeyChallenge.Purpose
    browser: bytes | None = None
    pending: PendingSignIn | None = None
    session: AccountSession | None = None

    @classmethod
    def browser_named(cls, token: str) -> Asker:
        """A stranger's browser, known by the random ``token`` in its Django session."""
        return cls(Purpose.SIGN_IN, browser=tokens.digest(token))

    def _bound(self) -> Q:
        return Q(purpose=self.purpose, browser=self.browser, pending=self.pending, session=self.session)

    def ask(self) -> bytes:
        """A new challenge of 256 random bits; the oldest of too many open ones is forgotten.

        Raises ``TooManyAttempts`` for a network that asks without end.
        """
        raise_if_spent(CHALLENGES_BY_NETWORK, limits.network())
        challenge = secrets.token_bytes(webauthn.CHALLENGE_BYTES)
        with transaction.atomic():
            mine = PasskeyChallenge.objects.filter(self._bound())
            kept = mine.order_by("-pk").values_list("pk", flat=True)[: rules.MAX_OPEN_CHALLENGES - 1]
            mine.exclude(pk__in=list(kept)).delete()
            PasskeyChallenge.objects.create(
                purpose=self.purpose,
                challenge=challenge,
                browser=self.browser,
                pending=self.pending,
                session=self.session,
                expires_at=timezone.now() + webauthn.CHALLENGE_LIFETIME,
            )
        return challenge

    def burn(self, answer: webauthn.Answer) -> bytes:
        """The challenge that ``answer`` is to, used up; of parallel answers one gets it (attack case 5).

        Deleted for good before anything is checked, whatever becomes of the answer. Raises
        ``ChallengeSpentError``.
        """
        challenge = webauthn.challenge_of(answer)
        open_ = PasskeyChallenge.objects.filter(self._bound(), challenge=challenge)
        burned, _rows = open_.filter(expires_at__gt=timezone.now()).delete()
        if not burned:
            raise ChallengeSpentError
        return challenge


def forget_unanswered(*, actor: Actor, now: datetime) -> int:
    """Removes questions that nobody answered in time; expiry itself is checked at use."""
    access.require_system(actor)
    return PasskeyChallenge.objects.filter(expires_at__lt=now).delete()[0]

"""How many wrong codes and passkeys an account bears, over all its factors (attack cases 10, 11 and 13).

Budgets instead of lock-outs: a stranger who knows the password spends the strangers' budget and leaves
that of each browser the owner has used before. Documented in ADR 0008.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from accounts.identity.models import User
from kellexa_portal.ratelimit import Limit, WhenDown, raise_if_spent, refund

CODES_HOURLY = Limit("mfa.codes.hour", 10, timedelta(hours=1))
CODES_DAILY = Limit("mfa.codes.day", 50, timedelta(days=1))
LIMITS = (CODES_HOURLY, CODES_DAILY)
PASSKEY_BY_NETWORK = Limit("mfa.passkey.network", 20, timedelta(minutes=10))
CHALLENGES_BY_NETWORK = Limit("mfa.passkey.challenges", 120, timedelta(minutes=10))


@dataclass(frozen=True, slots=True)
class Purse:
    """Whose budget one guess is taken from.

    ``owner`` is empty for a browser never seen before; otherwise it names the known browser or, once
    signed in, the session: a stolen session has one budget, however many browsers it claims to be.
    """

    user: User
    owner: str = ""

    @property
    def subject(self) -> str:
        """One name for the account, and one more for each browser or session that has proved itself."""
        return f"{self.user.public_id}:{self.owner}" if self.owner else str(self.user.public_id)

    def spend(self) -> int:
        """Takes one guess before it is looked at; answers how many this hour's budget has borne.

        Raises ``TooManyAttempts``. While Redis is down staff are refused, customers counted in
        PostgreSQL.
        """
        when_down = WhenDown.REFUSE if self.user.is_staff else WhenDown.POSTGRES
        hour = raise_if_spent(CODES_HOURLY, self.subject, when_down=when_down)
        raise_if_spent(CODES_DAILY, self.subject, when_down=when_down)
        return CODES_HOURLY.budget - hour.remaining

    def give_back(self) -> None:
        """Returns the guess that turned out right: budgets count failures."""
        for limit in LIMITS:
            refund(limit, self.subject)

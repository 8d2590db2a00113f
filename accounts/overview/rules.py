"""How each responsibility of the Security Policy stands; pure decisions over a few numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

FEW_RECOVERY_CODES = 3


class Standing(StrEnum):
    """How a responsibility stands; the value is the tone in which the page says so."""

    GOOD = "ok"
    ATTENTION = "attention"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class SignInFacts:
    """What is known of a person's own sign-in."""

    password_changed_at: datetime
    factor_since: datetime | None
    recovery_codes_left: int


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What is known of the keys that a person may see: how many live, and which are due."""

    live: int
    due_names: tuple[str, ...]

    @property
    def due(self) -> int:
        return len(self.due_names)


def standing_of_sign_in(facts: SignInFacts) -> Standing:
    """Good with a second factor and enough recovery codes to survive the loss of a phone."""
    if facts.factor_since is None or facts.recovery_codes_left <= FEW_RECOVERY_CODES:
        return Standing.ATTENTION
    return Standing.GOOD


def standing_of_keys(facts: KeyFacts) -> Standing:
    """Attention as soon as one key is due; without keys there is nothing to judge."""
    if facts.due:
        return Standing.ATTENTION
    return Standing.GOOD if facts.live else Standing.NEUTRAL

"""Refusals that the domain foresees, each with a stable code; ``web`` alone knows their HTTP answer."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

from django.utils.functional import Promise


class Fault(StrEnum):
    """Why a request is refused, in terms of the domain."""

    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"
    CONFLICT = "conflict"
    INVALID = "invalid"
    LIMITED = "limited"
    UNAVAILABLE = "unavailable"


class DomainError(Exception):
    """A foreseen refusal: the code is stable, the sentence may change and names no secret.

    Subclasses stand beside the action that raises them and set ``code``, ``fault`` and ``message``;
    ``message`` may hold ``%(name)s`` places that ``params`` fill.
    """

    code: ClassVar[str]
    fault: ClassVar[Fault]
    message: ClassVar[str | Promise]

    def __init__(self, **params: Any) -> None:
        super().__init__(self.code)
        self.params = params

    def sentence(self) -> str:
        """The sentence for a person, in the active language."""
        return str(self.message) % self.params if self.params else str(self.message)

    def __str__(self) -> str:
        return self.code

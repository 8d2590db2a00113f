"""How old a key may grow: asked here, answered by the app above that keeps the organizations' policies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from accounts.organizations.models import Organization

NO_LIMIT = timedelta(days=366)
"""Longer than any key lives."""

_answers: list[Callable[[Organization], timedelta]] = []


def register(max_age: Callable[[Organization], timedelta]) -> None:
    """Names the function that gives the greatest age of keys; called once, when the apps are ready."""
    _answers[:] = [max_age]


def max_age_of(organization: Organization) -> timedelta:
    """The greatest age that the organization lets its keys reach; ``NO_LIMIT`` while no app answers."""
    return _answers[0](organization) if _answers else NO_LIMIT

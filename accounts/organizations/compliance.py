"""Who holds a phishing-resistant factor: asked here, answered by the app above that keeps the factors."""

from __future__ import annotations

from collections.abc import Callable, Collection

Holders = Callable[[Collection[int]], set[int]]

_answers: list[Holders] = []


def register(holders: Holders) -> None:
    """Names the function that gives, of the accounts with these primary keys, those that hold one.

    Called once, when the apps are ready. It is asked for many people at once, so that a list of members
    costs one query however long it is.
    """
    _answers[:] = [holders]


def phishing_resistant_among(user_ids: Collection[int]) -> set[int]:
    """Those of the accounts that hold a phishing-resistant factor; nobody while no app answers."""
    return _answers[0](user_ids) & set(user_ids) if _answers and user_ids else set()

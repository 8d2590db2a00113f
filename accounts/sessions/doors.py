"""Who may still stand in the door: apps above refuse a sign-in whose every factor was right.

Asked in ``complete_login``, the one door, so that a refusal holds for every way in alike.
"""

from __future__ import annotations

from collections.abc import Callable

from accounts.identity.models import PendingSignIn, User

Guard = Callable[[User, PendingSignIn], None]

_guards: dict[str, Guard] = {}


def register_guard(name: str, guard: Guard) -> None:
    """Names a function that raises a ``SignInLapsedError`` for whom it refuses.

    It runs inside the transaction of the sign-in, with the account's row locked. Called when the apps are
    ready.
    """
    _guards[name] = guard


def pass_guards(user: User, pending: PendingSignIn) -> None:
    """Asks them all; raises what the first of them raises."""
    for guard in _guards.values():
        guard(user, pending)

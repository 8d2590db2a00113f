"""Whether sign-ins from a network are under suspicion just now; answered by the app that watches.

While they are, browsers that no account knows share a narrower budget in each network. Known browsers keep
their own, so the owner of an account under attack is not shut out (attack case 13). Watching is done above
(``accounts.anomalies``), so the answer is registered here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from kellexa_portal.ratelimit import Limit

LOGIN_UNDER_CHALLENGE = Limit("accounts.login.challenged", 5, timedelta(hours=1))


class Asker(Protocol):
    """Says whether unknown browsers of ``network``, as limits name it, get the narrow budget."""

    def __call__(self, network: str) -> bool: ...


_askers: list[Asker] = []


def register_asker(asker: Asker) -> None:
    """Makes ``asker`` the one that is asked. Called once, when the apps are ready."""
    _askers[:] = [asker]


def is_on(network: str) -> bool:
    """Whether ``network`` is under suspicion; never while nobody watches."""
    return bool(_askers) and _askers[0](network)

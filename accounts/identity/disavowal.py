"""The link of a notice by which its reader says "this wasn't me"; made by the app that acts on it.

What such a link does is decided far above (``accounts.lockdown``), while the mails that carry it are
written in every app. So the maker registers here, and ``notices`` asks for a link.
"""

from __future__ import annotations

from typing import Protocol

from accounts.identity.models import User
from kellexa_portal.audit.catalogue import AuditEvent


class Maker(Protocol):
    """Makes a link of its own for each call, inside the transaction of the event."""

    def __call__(self, *, user: User, event: AuditEvent) -> str: ...


_makers: list[Maker] = []


def register_maker(maker: Maker) -> None:
    """Makes ``maker`` the one that is asked. Called once, when the apps are ready."""
    _makers[:] = [maker]


def link_for(*, user: User, event: AuditEvent) -> str:
    """A new single-use link by which ``user`` disowns ``event``; an empty text while nobody makes any."""
    return _makers[0](user=user, event=event) if _makers else ""

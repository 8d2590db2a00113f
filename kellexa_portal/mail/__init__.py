"""Mail as rows: deferred with the business change, delivered after it commits (ADR 0006).

``defer`` is all that other apps use. It is loaded on first use, since Django imports this package before
any model may be imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kellexa_portal.mail.actions.outbox import defer

__all__ = ["defer"]


def __getattr__(name: str) -> Any:
    if name == "defer":
        from kellexa_portal.mail.actions.outbox import defer

        return defer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

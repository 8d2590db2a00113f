"""What is known of the request under way, for evidence and logs; set by ``web``, empty in a task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Authentication:
    """How the session proved itself: assurance level (NIST SP 800-63B), methods, and when."""

    level: int = 0
    methods: tuple[str, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Facts of one request; every field has an empty default so that tasks have a context too."""

    request_id: str = ""
    session_id: str = ""
    ip: str = ""
    user_agent: str = ""
    authentication: Authentication = field(default_factory=Authentication)


_NOTHING = RequestContext()
_current: ContextVar[RequestContext] = ContextVar("kellexa_request_context", default=_NOTHING)


def current() -> RequestContext:
    """The context of the request under way, or an empty one."""
    return _current.get()


def amend(**facts: object) -> None:
    """Adds facts that became known later in the request, such as the session."""
    _current.set(replace(_current.get(), **facts))  # type: ignore[arg-type]  # the names are the fields'


@contextmanager
def bound(context: RequestContext) -> Iterator[None]:
    """Makes ``context`` current for the block and restores the former one."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)

"""Which methods a view takes: declared on the view, refused before anything else is asked.

Django's own decorators stand inside the view, so that a wrong method would first meet the CSRF check and
be answered 403. These ones leave a mark that ``MethodMiddleware`` reads before it (RFC 9110, 15.5.6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.views.decorators import http  # noqa: TID251  # wrapped here, and here alone

View = TypeVar("View", bound=Callable[..., Any])

PAGE = ("GET", "HEAD", "POST")
"""What a page with a form takes, and the staff site throughout."""


def require_http_methods(methods: Iterable[str]) -> Callable[[View], View]:
    """Refuses any other method with 405 and an ``Allow`` header."""
    taken = tuple(methods)

    def declare(view: View) -> View:
        guarded: View = http.require_http_methods(list(taken))(view)
        guarded.kellexa_methods = taken  # type: ignore[attr-defined]  # the mark that the middleware reads
        return guarded

    return declare


def require_safe(view: View) -> View:
    """GET and HEAD: a view that changes nothing."""
    return require_http_methods(["GET", "HEAD"])(view)


def require_post(view: View) -> View:
    """POST alone: a view that acts and shows no page of its own."""
    return require_http_methods(["POST"])(view)


def methods_of(view: Callable[..., Any]) -> tuple[str, ...] | None:
    """The declared methods of ``view``, or ``None`` for one that answers for itself, such as the API's."""
    methods: tuple[str, ...] | None = getattr(view, "kellexa_methods", None)
    return methods

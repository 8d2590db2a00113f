"""Who may reach a view at all. Every view declares one gate; a view without one is never served.

The gate answers only *who may knock*; which object a person may see is decided by the app's
``access``. Check ``kellexa.E001`` walks the URLconf, and ``GateMiddleware`` refuses at run time what
slipped through (ASVS 8.3.1, closed by default).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import cache_control

View = TypeVar("View", bound=Callable[..., Any])

LOGIN_URL_NAME = "accounts:login"


class Gate(StrEnum):
    """The four doors."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    STAFF = "staff"
    MACHINE = "machine"


def gate_of(view: Callable[..., Any]) -> Gate | None:
    """The declared gate of ``view``, or ``None`` when it has none."""
    gate = getattr(view, "kellexa_gate", None)
    return gate if isinstance(gate, Gate) else None


def is_admin_view(view: Callable[..., Any]) -> bool:
    """Whether ``view`` belongs to the staff site, which asks ``has_permission`` before it answers."""
    owner = getattr(view, "admin_site", None) or getattr(view, "__self__", None)
    return isinstance(owner, AdminSite) or hasattr(view, "model_admin")


def _declare(view: View, gate: Gate) -> View:
    view.kellexa_gate = gate  # type: ignore[attr-defined]  # the mark that the check reads
    return view


def public(view: View) -> View:
    """Anyone may knock."""
    return _declare(view, Gate.PUBLIC)


def machine(view: View) -> View:
    """A program that shows a bearer credential, which the view itself verifies."""
    return _declare(view, Gate.MACHINE)


def is_verified(request: HttpRequest) -> bool:
    """Whether the session belongs to an account that has shown a second factor."""
    user = request.user
    return bool(user.is_authenticated and getattr(user, "is_verified", bool)())


def redirect_to_sign_in(request: HttpRequest, target: str = "") -> HttpResponse:
    """To the sign-in page, and to ``target`` or back here afterwards.

    A write is not repeated, so it comes back to a GET of its address.
    """
    here = request.get_full_path() if request.method in {"GET", "HEAD"} else request.path
    target = target or here
    return HttpResponseRedirect(f"{reverse(LOGIN_URL_NAME)}?{urlencode({'next': target})}")


def _customers(is_staff: bool) -> bool:
    return not is_staff


def _staff(is_staff: bool) -> bool:
    return is_staff


def _anyone(is_staff: bool) -> bool:
    return True


def would_admit(view: Callable[..., Any], request: HttpRequest) -> bool:
    """Whether the gate of ``view`` lets this person in, so that no page links to what would answer 404."""
    admits = getattr(view, "kellexa_admits", None)
    return admits is None or bool(admits(bool(getattr(getattr(request, "user", None), "is_staff", False))))


def _guarded(view: Callable[..., Any], *, admits: Callable[[bool], bool]) -> Callable[..., Any]:
    @functools.wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not is_verified(request):
            return redirect_to_sign_in(request)
        if not admits(bool(getattr(request.user, "is_staff", False))):
            raise Http404
        return view(request, *args, **kwargs)

    guarded: Callable[..., Any] = cache_control(no_store=True, private=True)(inner)
    guarded.kellexa_admits = admits  # type: ignore[attr-defined]  # the mark that navigation reads
    return guarded


def signed_in(view: Callable[..., Any]) -> Callable[..., Any]:
    """A customer with a verified second factor; staff get 404, anyone else the sign-in page.

    Its answers are ``no-store, private`` (attack case 37: a shared cache that served one person's page
    to another).
    """
    return _declare(_guarded(view, admits=_customers), Gate.SIGNED_IN)


def own_account(view: Callable[..., Any]) -> Callable[..., Any]:
    """Anyone with a verified second factor, customer or staff, for the pages of one's own account alone."""
    return _declare(_guarded(view, admits=_anyone), Gate.SIGNED_IN)


def staff(view: Callable[..., Any]) -> Callable[..., Any]:
    """A staff account with a verified second factor; customers get 404, anyone else the sign-in page."""
    return _declare(_guarded(view, admits=_staff), Gate.STAFF)

"""Where a right password leads: to the second factor, unless an app above knows of another way."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.identity.models import PendingSignIn

Detour = Callable[[HttpRequest, PendingSignIn], HttpResponse | None]

_detours: dict[str, tuple[int, Detour]] = {}


def register(name: str, detour: Detour, *, order: int = 50) -> None:
    """Names a function that may answer in place of the page for the second factor, or answers ``None``.

    It may refuse the half sign-in or complete it; the lowest ``order`` is asked first. Called when the apps
    are ready.
    """
    _detours[name] = (order, detour)


def lead_on(request: HttpRequest, pending: PendingSignIn) -> HttpResponse:
    """The answer to a right password: the page that comes after it."""
    for _order, detour in sorted(_detours.values(), key=lambda entry: entry[0]):
        if (answer := detour(request, pending)) is not None:
            return answer
    return redirect("mfa:verify")

"""Where a right password leads: to the second factor, unless an app above knows that it was shown before."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.identity.models import PendingSignIn

Shortcut = Callable[[HttpRequest, PendingSignIn], HttpResponse | None]

_shortcuts: list[Shortcut] = []


def register(shortcut: Shortcut) -> None:
    """Names the function that may complete a half sign-in at once; ``None`` where it may not.

    Called once, when the apps are ready.
    """
    _shortcuts[:] = [shortcut]


def lead_on(request: HttpRequest, pending: PendingSignIn) -> HttpResponse:
    """The answer to a right password: the page that comes after it."""
    for shortcut in _shortcuts:
        if (answer := shortcut(request, pending)) is not None:
            return answer
    return redirect("mfa:verify")

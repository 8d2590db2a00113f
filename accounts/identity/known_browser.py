"""Remembers that a person fully signed in with this browser, so that strangers cannot lock them out.

The cookie proves nothing but that: it buys a budget of its own at the password, never a skipped factor.
Each is signed and bound to one account and its ``security_epoch``, so a reset, a lock-down or a
deactivation makes it worthless.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from accounts.identity import tokens
from accounts.identity.models import User

LIFETIME = timedelta(days=180)
NAME_DIGITS = 16


@dataclass(frozen=True, slots=True)
class BrowserCookies:
    """The cookies of one browser, asked account by account."""

    cookies: Mapping[str, str]

    def id_for(self, user: User) -> str:
        """The browser's random id if ``user`` is known in it, else an empty text."""
        try:
            return _signer(user).unsign(self.cookies.get(cookie_name(user), ""), max_age=LIFETIME)
        except signing.BadSignature:
            return ""


def of(request: HttpRequest) -> BrowserCookies:
    """What the browser of ``request`` can show."""
    return BrowserCookies(request.COOKIES)


def is_known(request: HttpRequest, user: User) -> bool:
    """Whether ``user`` fully signed in with this browser since their account was last secured."""
    return bool(of(request).id_for(user))


def mark(response: HttpResponse, user: User) -> None:
    """Makes the browser that gets ``response`` known for ``user``. Call it after a full sign-in only."""
    response.set_cookie(
        cookie_name(user),
        _signer(user).sign(tokens.new()),
        max_age=LIFETIME,
        path="/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def cookie_name(user: User) -> str:
    """One cookie an account, named without telling which, so that people who share a browser stay apart."""
    tag = salted_hmac("accounts.known_browser.name", str(user.public_id), algorithm="sha256").hexdigest()
    prefix = "__Host-known-" if settings.SESSION_COOKIE_SECURE else "known-"
    return prefix + tag[:NAME_DIGITS]


def _signer(user: User) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"accounts.known_browser:{user.public_id}:{user.security_epoch}")

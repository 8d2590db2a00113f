"""The cookie of a trusted browser, and the row without which it is worth nothing.

Not the mark of a known browser (``accounts.identity.known_browser``): that one buys tries, this one stands
for a factor, and so it can be listed and taken back.
"""

from __future__ import annotations

import hashlib
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.identity import quarantine
from accounts.identity.models import User
from accounts.organizations.queries import is_asked_for_passkey
from accounts.sessions import devices, rules
from accounts.sessions.models import TrustedBrowser
from kellexa_portal.core import context

NAME_DIGITS = 16


def new_token() -> str:
    """128 random bits, as a cookie carries them."""
    return secrets.token_urlsafe(rules.TRUST_TOKEN_BYTES)


def digest_of(token: str) -> bytes:
    """What is stored of a token: it is random, so a plain SHA-256 can't be searched."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def may_be_offered(user: User) -> bool:
    """Whether ``user`` may trust a browser at all, asked when trust is given and again at every use.

    Never the staff, nobody in quarantine, and nobody of whom an organization asks a passkey: what that
    organization chose would not hold for a password alone (attack case 35).
    """
    if user.is_staff or quarantine.is_quarantined(user, timezone.now()):
        return False
    return not is_asked_for_passkey(user)


def shown_by(request: HttpRequest, user: User) -> TrustedBrowser | None:
    """The trust that this browser shows for ``user``; only for the kind of browser that it was given to."""
    token = request.COOKIES.get(cookie_name(user), "")
    if not token or not may_be_offered(user):
        return None
    live = TrustedBrowser.objects.live(now=timezone.now())
    found = live.filter(user=user, token_digest=digest_of(token)).first()
    device = devices.label_of(context.current().user_agent)
    return found if found is not None and found.device == device else None


def mark(response: HttpResponse, user: User, token: str) -> None:
    """Gives the browser that gets ``response`` its half of the trust."""
    response.set_cookie(
        cookie_name(user),
        token,
        max_age=rules.TRUST_LIFETIME,
        path="/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def cookie_name(user: User) -> str:
    """One cookie an account, named without telling which, so that people who share a browser stay apart."""
    tag = salted_hmac("accounts.trusted_browser.name", str(user.public_id), algorithm="sha256").hexdigest()
    prefix = "__Host-trusted-" if settings.SESSION_COOKIE_SECURE else "trusted-"
    return prefix + tag[:NAME_DIGITS]

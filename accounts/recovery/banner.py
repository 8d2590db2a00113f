"""The line that stands on every page of a person whose account somebody wants to recover."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.identity.models import User
from accounts.recovery import queries
from kellexa_portal.ui.navigation import Banner


def banner_of(request: HttpRequest) -> Banner | None:
    """Asks the database once a page, and only of a person who is signed in."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) or queries.unfinished_of(user) is None:
        return None
    return Banner(
        tone="attention",
        title=_("Somebody asked to recover this account"),
        text=_("If you don’t want that, cancel it: you can sign in, so you need no recovery."),
        url=reverse("recovery:page"),
        action=_("See and cancel"),
    )

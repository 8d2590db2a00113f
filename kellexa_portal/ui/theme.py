"""Light, dark or as the system says; kept in a cookie so that the server renders it and nothing flashes."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import TextChoices
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

COOKIE = "theme"
COOKIE_AGE = timedelta(days=365)


class Theme(TextChoices):
    """The three positions of the switch."""

    SYSTEM = "system", _("System")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


def theme_of(request: HttpRequest) -> Theme:
    """The person's choice; whatever else the cookie holds counts as no choice."""
    value = request.COOKIES.get(COOKIE, "")
    return Theme(value) if value in Theme.values else Theme.SYSTEM


def keep(response: HttpResponse, theme: Theme) -> None:
    """Stores ``theme`` in the browser; the system's own choice needs no cookie."""
    if theme is Theme.SYSTEM:
        response.delete_cookie(COOKIE, samesite="Lax")
        return
    response.set_cookie(
        COOKIE,
        theme.value,
        max_age=COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )

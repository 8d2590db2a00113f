"""The small table of a mail: whose, when and from where, in the words that every app uses."""

from __future__ import annotations

from datetime import datetime, tzinfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from kellexa_portal.core import context

Facts = list[tuple[str, str]]

LONG = pgettext_lazy("date and time format", "j F Y, H:i e")
SHORT = "DATETIME_FORMAT"
"""The format that the portal's pages use, from the language's own module of formats."""


def moment(at: datetime, zone: tzinfo | None = None, *, style: object = LONG) -> str:
    """An instant in the reader's ``zone``, the zone named; without one, in the zone that is active."""
    return date_format(timezone.localtime(at, zone), str(style))


def account(email: str, zone: tzinfo) -> Facts:
    """Which account, and that it is now: the first lines of a notice about an account."""
    return [(_("Account"), email), (_("When"), moment(timezone.now(), zone))]


def origin() -> Facts:
    """The address from which the act came; nothing where no request is the cause."""
    ip = context.current().ip
    return [(_("From address"), ip)] if ip else []

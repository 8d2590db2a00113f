"""How long ago, or how long until, in whole sentences that a translator can bend."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


class Unit(NamedTuple):
    """A unit with its sentences for the past and for the future."""

    seconds: int
    past: Callable[[int], str]
    future: Callable[[int], str]


UNITS = (
    Unit(
        31_536_000,
        lambda n: ngettext("%(count)d year ago", "%(count)d years ago", n),
        lambda n: ngettext("in %(count)d year", "in %(count)d years", n),
    ),
    Unit(
        2_592_000,
        lambda n: ngettext("%(count)d month ago", "%(count)d months ago", n),
        lambda n: ngettext("in %(count)d month", "in %(count)d months", n),
    ),
    Unit(
        86_400,
        lambda n: ngettext("%(count)d day ago", "%(count)d days ago", n),
        lambda n: ngettext("in %(count)d day", "in %(count)d days", n),
    ),
    Unit(
        3_600,
        lambda n: ngettext("%(count)d hour ago", "%(count)d hours ago", n),
        lambda n: ngettext("in %(count)d hour", "in %(count)d hours", n),
    ),
    Unit(
        60,
        lambda n: ngettext("%(count)d minute ago", "%(count)d minutes ago", n),
        lambda n: ngettext("in %(count)d minute", "in %(count)d minutes", n),
    ),
)


def relative(at: datetime, *, now: datetime) -> str:
    """The distance of ``at`` from ``now`` in the largest whole unit: "3 minutes ago", "in 2 days".

    Rounds down, so "2 days" is never less than 48 hours; a month counts 30 days and a year 365.
    """
    distance = (at - now).total_seconds()
    whole = int(abs(distance))
    for unit in UNITS:
        count = whole // unit.seconds
        if count:
            sentence = unit.past(count) if distance < 0 else unit.future(count)
            return sentence % {"count": count}
    return _("just now") if distance <= 0 else _("in less than a minute")

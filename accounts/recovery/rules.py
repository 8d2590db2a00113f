"""Periods and decisions of a recovery; pure, and ``now`` is given."""

from __future__ import annotations

from datetime import datetime, timedelta

WAIT = timedelta(hours=72)
"""From the second approval until the way is open: long enough for who reads mail on Monday only."""

LINK_LIFETIME = timedelta(hours=72)
"""How long the link works then: it came unannounced, and its reader may be on the way to a new phone."""

OPEN_LIFETIME = timedelta(days=7)
"""How long a case waits for its two approvals: what was seen of a person grows old."""

KEEP_LINKS_FOR = timedelta(days=30)
"""How long a link to cancel can still be told from one that never was, after its case."""

KEEP_CASES_FOR = timedelta(days=400)
"""How long a finished case is kept, with the note of how somebody was recognised."""

MIN_EVIDENCE = 20
MAX_EVIDENCE = 2000


def later(now: datetime, *before: datetime | None) -> datetime:
    """``now``, but never before what happened already: a clock that is set back shortens no wait."""
    return max([now, *(at for at in before if at is not None)])


def is_over(since: datetime | None, period: timedelta, *, now: datetime) -> bool:
    """Whether ``period`` from ``since`` has passed at ``now``; the last instant belongs to what follows."""
    return since is not None and now >= since + period

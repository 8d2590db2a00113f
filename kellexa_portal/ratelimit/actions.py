"""Housekeeping of the counters."""

from __future__ import annotations

from datetime import datetime

from kellexa_portal.ratelimit.models import Counter


def purge_stale(*, now: datetime) -> int:
    """Deletes the counters whose budget is whole again, and answers how many those were."""
    deleted, _ = Counter.objects.filter(whole_at__lt=now).delete()
    return deleted

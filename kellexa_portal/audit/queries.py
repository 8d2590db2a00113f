"""Reads of the log."""

from __future__ import annotations

from django.db.models import QuerySet

from kellexa_portal.audit.models import Event
from kellexa_portal.audit.values import Stream


def events_of(stream: Stream) -> QuerySet[Event]:
    """The events of one log with seal and personal part in the same query; page with ``core.pagination``."""
    return all_events().filter(stream_type=stream.type.value, stream_id=stream.id)


def all_events() -> QuerySet[Event]:
    """The events of all logs, for staff."""
    return Event.objects.select_related("sealed_leaf", "personal")

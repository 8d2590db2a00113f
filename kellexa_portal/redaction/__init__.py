"""Keeps secrets out of logs, traces, error pages and evidence: by shape, by name and by exact value."""

from __future__ import annotations

from .patterns import REDACTED, redact
from .records import RedactionFilter, redact_event
from .values import is_sensitive, redact_value

__all__ = ["REDACTED", "RedactionFilter", "is_sensitive", "redact", "redact_event", "redact_value"]

"""Reads events from the database in the form that is hashed; for the sealer and the verifier alike.

Not by way of the models: a JSON number must be hashed as the text that the database gives back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from kellexa_portal.audit.leaves import Body, parse_changes

_NAMES = tuple(field.name for field in fields(Body))
COLUMNS = ", ".join(f"event.{name}::text" if name == "changes" else f"event.{name}" for name in _NAMES)
"""What to select from ``audit_event AS event`` for ``body_from``."""


def body_from(values: Iterable[Any]) -> Body:
    """The event of one row that was selected with ``COLUMNS``."""
    columns = dict(zip(_NAMES, values, strict=True))
    commitment = columns["personal_commitment"]
    columns["personal_commitment"] = None if commitment is None else bytes(commitment)
    columns["changes"] = parse_changes(columns["changes"])
    return Body(**columns)

"""The log filter and the structlog processor."""

from __future__ import annotations

import logging
import traceback
from collections.abc import MutableMapping
from typing import Any

from .patterns import redact
from .values import is_sensitive, redact_value

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_UNTOUCHED = frozenset({"request", "_logger", "_name", "_record"})


def _message(record: logging.LogRecord) -> str:
    """The finished sentence; arguments that do not fit it are shown after it instead of being lost."""
    if isinstance(record.args, dict):
        record.args = redact_value(record.args)
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001  # logging itself swallows this; here the line must survive
        return f"{record.msg!s} {record.args!r}"


class RedactionFilter(logging.Filter):
    """Cleans a record in place: message and arguments, traceback, stack and every ``extra``.

    It never drops a record, and a failure inside it loses the detail, not the line. The exception
    object is turned into text, because a later formatter would print it anew.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            self._clean(record)
        except Exception as error:  # noqa: BLE001  # better an empty line than an uncleaned one
            record.msg, record.args = f"log record withheld: {type(error).__name__}", None
            record.exc_info = record.exc_text = record.stack_info = None
        return True

    def _clean(self, record: logging.LogRecord) -> None:
        record.msg = redact_value(record.msg) if isinstance(record.msg, dict) else redact(_message(record))
        record.args = None
        if record.exc_info:
            exc_info = record.exc_info
            record.exc_text = "".join(traceback.format_exception(*exc_info)).rstrip("\n")
            record.exc_info = None
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        for name in set(vars(record)) - _OWN - _UNTOUCHED:
            value = getattr(record, name)
            setattr(record, name, "[redacted]" if is_sensitive(name) and value else redact_value(value))


def redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog: cleans every value of the event, by name and by shape."""
    kept = {name: event[name] for name in _UNTOUCHED & event.keys()}
    cleaned: dict[str, Any] = redact_value({name: event[name] for name in event.keys() - _UNTOUCHED})
    return {**{name: cleaned[name] for name in event if name in cleaned}, **kept}

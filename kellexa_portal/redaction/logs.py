"""Logs: JSON lines in production, readable ones in development, all through the redaction filter."""

from __future__ import annotations

import logging.config
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any

import structlog
from celery.signals import setup_logging

from kellexa_portal.core import context

from .patterns import redact
from .records import redact_event

Event = MutableMapping[str, Any]

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SHOWN = (str, int, float, bool, type(None), list, tuple, dict)


def _add_request(_logger: Any, _method: str, event: Event) -> Event:
    request_id = context.current().request_id
    if request_id:
        event.setdefault("request_id", request_id)
    return event


def _add_extra(_logger: Any, _method: str, event: Event) -> Event:
    """What a standard logger passed as ``extra``; objects such as the request are left out."""
    record = event["_record"]
    for name, value in vars(record).items():
        if name not in _STANDARD and isinstance(value, _SHOWN):
            event.setdefault(name, value)
    if record.exc_text:
        event["exception"] = record.exc_text
    if record.stack_info:
        event["stack"] = event.pop("stack_info", record.stack_info)
    return event


def _in_order(_logger: Any, _method: str, event: Event) -> Event:
    """The same keys first in every line, for whoever reads many."""
    first = [name for name in ("timestamp", "level", "event", "logger", "request_id") if name in event]
    return {name: event[name] for name in [*first, *(name for name in event if name not in first)]}


def close_side_doors() -> None:
    """Takes away the handlers that libraries gave their own loggers, so that every line passes the filter.

    Called when the apps are loaded: the offenders add theirs on import (pyasn1 does, under WebAuthn).
    """
    for logger in list(logging.Logger.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            logger.handlers[:] = [kept for kept in logger.handlers if isinstance(kept, logging.NullHandler)]
            logger.propagate = True


class RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """Searches the finished line once more: the ``repr`` of an object comes into being only here."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def _shown(value: object) -> str:
    """What JSON has no notation for: bytes, above all."""
    return redact(repr(value))


def _render(style: str) -> Any:
    if style == "json":
        return structlog.processors.JSONRenderer(default=_shown)
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


def formatter(style: str) -> RedactingFormatter:
    """The formatter of the one handler; ``style`` is ``json`` or ``readable``."""
    return RedactingFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.contextvars.merge_contextvars,
            _add_request,
            _add_extra,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            redact_event,
            _in_order,
            _render(style),
        ],
    )


def _configure_structlog() -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            _add_request,
            redact_event,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _keep_logging(**_arguments: Any) -> None:
    """Being connected is the point: Celery then leaves every logger as it is."""


def print_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The last resort of a dying process prints its trace without secrets."""
    sys.stderr.write(redact("".join(traceback.format_exception(kind, error, trace))))


def configure(config: Mapping[str, Any]) -> None:
    """``settings.LOGGING_CONFIG``: standard logging, structlog, Celery and the uncaught exception."""
    logging.config.dictConfig(dict(config))
    _configure_structlog()
    setup_logging.connect(_keep_logging, weak=False, dispatch_uid="kellexa_portal.redaction")
    sys.excepthook = print_uncaught

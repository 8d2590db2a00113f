"""Sends work to Celery after commit. Work is also a row that is due, so a lost message costs only time."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def enqueue(name: str, **ids: int | str) -> None:
    """Sends the task ``name`` once the transaction commits; ids only, never objects or secrets.

    A broker that is down is logged, not raised: the periodic sweep finds the same rows.
    """

    def send() -> None:
        try:
            current_app.send_task(name, kwargs=ids, ignore_result=True, retry=False)
        except OperationalError:
            logger.warning("job_not_sent", extra={"job": name})

    transaction.on_commit(send, robust=True)

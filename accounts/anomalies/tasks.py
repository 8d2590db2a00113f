"""The beat's way into the rules."""

from __future__ import annotations

from celery import shared_task

from accounts.anomalies import actions


@shared_task(name="anomalies.sweep")
def sweep() -> None:
    """Reads what is new in the log."""
    actions.sweep(actor=actions.PORTAL)

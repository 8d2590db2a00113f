"""Budgets against guessing and flooding: atomic in Redis, continued in PostgreSQL while Redis is down."""

from kellexa_portal.ratelimit.limits import Decision, Limit, TooManyAttempts, WhenDown
from kellexa_portal.ratelimit.spending import clear, raise_if_spent, refund, spend

__all__ = [
    "Decision",
    "Limit",
    "TooManyAttempts",
    "WhenDown",
    "clear",
    "raise_if_spent",
    "refund",
    "spend",
]

"""Kellexa's security and trust portal."""

from kellexa_portal.celery import app as celery_app

__all__ = ["celery_app"]

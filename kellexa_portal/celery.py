"""The Celery application and its beat table: every task is an idempotent sweep over rows that are due."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kellexa_portal.settings")

app = Celery("kellexa_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "operations.heartbeat": {"task": "operations.heartbeat", "schedule": 15.0, "options": {"expires": 15}},
    "audit.seal": {"task": "audit.seal", "schedule": 2.0, "options": {"expires": 2}},
    "mail.deliver_due": {"task": "mail.deliver_due", "schedule": 5.0, "options": {"expires": 5}},
    "rotation.sweep": {"task": "rotation.sweep", "schedule": 60.0, "options": {"expires": 60}},
    "anomalies.sweep": {"task": "anomalies.sweep", "schedule": 60.0, "options": {"expires": 60}},
    "recovery.sweep": {"task": "recovery.sweep", "schedule": 60.0, "options": {"expires": 60}},
    "credentials.expire_due": {
        "task": "credentials.expire_due",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "organizations.remind_due": {
        "task": "organizations.remind_due",
        "schedule": 900.0,
        "options": {"expires": 900},
    },
    "sso.check_domains": {
        "task": "sso.check_domains",
        "schedule": 900.0,
        "options": {"expires": 900},
    },
    "mail.purge": {"task": "mail.purge", "schedule": 3600.0, "options": {"expires": 3600}},
    "ratelimit.purge": {"task": "ratelimit.purge", "schedule": 3600.0, "options": {"expires": 3600}},
    "accounts.purge_expired": {
        "task": "accounts.purge_expired",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
}

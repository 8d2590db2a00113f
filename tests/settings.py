"""The settings of a test run: production's file on throw-away servers, secrets of its own and cheap hashes.

``DATABASE_URL`` and ``REDIS_URL`` are honoured, so the same suite runs on any pair of servers; what is
not set is started for this run and removed after it.
"""

from __future__ import annotations

import os
import sys

from kellexa_portal import env
from kellexa_portal.dev import throwaway

os.environ["KELLEXA_MODE"] = "development"
for _name, _value in env.generate_secrets().items():
    os.environ.setdefault(_name, _value)
# mypy's plugin reads these settings too; it needs names, not servers.
if "pytest" in sys.modules:
    os.environ["KELLEXA_STATE_DIR"] = throwaway.state_folder()
    throwaway.ensure()
else:
    os.environ.setdefault("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")
    os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")

from kellexa_portal.settings import *  # noqa: E402, F403
from kellexa_portal.settings import CACHES, CELERY_BROKER_TRANSPORT_OPTIONS, DATABASES  # noqa: E402

# One prefix a worker process: parallel workers share a Redis, not their budgets.
REDIS_KEY_PREFIX = f"kellexa-test-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}:"
CACHES["default"]["KEY_PREFIX"] = REDIS_KEY_PREFIX.rstrip(":")
CELERY_BROKER_TRANSPORT_OPTIONS = {**CELERY_BROKER_TRANSPORT_OPTIONS, "global_keyprefix": REDIS_KEY_PREFIX}

# A pool would hold connections to a test database that is to be dropped; the journeys run with it.
for _database in DATABASES.values():
    _database["OPTIONS"].pop("pool", None)

PASSWORD_HASHERS = ["tests.hashers.QuickArgon2PasswordHasher"]

"""How often a recovery may be asked for. Every number here stands in docs/limits.md too."""

from __future__ import annotations

from datetime import timedelta

from kellexa_portal.ratelimit import Limit

STARTS_BY_STAFF = Limit("recovery.start.staff", 10, timedelta(days=1))

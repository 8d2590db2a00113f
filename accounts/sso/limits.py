"""How often one network sets out for a provider."""

from __future__ import annotations

from datetime import timedelta

from kellexa_portal.ratelimit import Limit

TRIPS_BY_NETWORK = Limit("sso.trips.network", 60, timedelta(minutes=10))

"""Health for load balancers and people on call."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from kellexa_portal.operations import health
from kellexa_portal.web import gates
from kellexa_portal.web.methods import require_safe


@gates.public
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers. Asks nothing else: a database that is down is no reason to restart us."""
    return JsonResponse({"status": "ok"})


@gates.public
@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Requests may be sent here: 200 when every dependency works, else 503; both name each one's state."""
    found = health.latest()
    readiness = found.readiness
    return JsonResponse(
        {
            "status": "ready" if readiness.is_ready else "unavailable",
            "dependencies": {
                "database": readiness.database,
                "migrations": readiness.migrations,
                "redis": readiness.redis,
            },
            "jobs": found.jobs,
        },
        status=200 if readiness.is_ready else 503,
    )

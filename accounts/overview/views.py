"""The security checkup."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.organizations.queries import active_membership
from accounts.overview.queries import checkup_of
from accounts.sessions.queries import person_of
from kellexa_portal.web import gates
from kellexa_portal.web.methods import require_safe


@gates.signed_in
@require_safe
def checkup(request: HttpRequest) -> HttpResponse:
    """Am I all right, what should I do next, where is the detail."""
    membership = active_membership(request)
    context = {
        "checkup": checkup_of(person_of(request), membership),
        "organization": membership.organization if membership else None,
    }
    return render(request, "accounts/overview/checkup.html", context)

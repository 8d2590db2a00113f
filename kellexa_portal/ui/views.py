"""The theme switch, the one thing that ``ui`` answers itself."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from kellexa_portal.ui.theme import Theme, keep
from kellexa_portal.web import gates
from kellexa_portal.web.methods import require_post
from kellexa_portal.web.redirects import safe_next


@gates.public
@require_post
def switch_theme(request: HttpRequest) -> HttpResponse:
    """Keeps the chosen theme and goes back to the page; never to another site (CWE-601)."""
    value = request.POST.get("theme", "")
    response = HttpResponseRedirect(safe_next(request, "/"), status=303)
    keep(response, Theme(value) if value in Theme.values else Theme.SYSTEM)
    return response

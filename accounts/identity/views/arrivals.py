"""Who comes to a page for strangers though signed in already."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from kellexa_portal.web.gates import is_verified
from kellexa_portal.web.redirects import safe_next


def home_if_signed_in(request: HttpRequest) -> HttpResponse | None:
    """A redirect to where a signed-in visitor belongs, or ``None`` for everybody else."""
    if not is_verified(request):
        return None
    home = reverse("admin:index" if getattr(request.user, "is_staff", False) else "overview:checkup")
    return HttpResponseRedirect(safe_next(request, home))

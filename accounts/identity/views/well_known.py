"""Where password managers look for the page that changes a password."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from kellexa_portal.web import gates
from kellexa_portal.web.methods import require_safe


@gates.public
@require_safe
def change_password(request: HttpRequest) -> HttpResponse:
    """A temporary redirect, as the well-known URL for changing passwords asks (W3C)."""
    return redirect("accounts:password")

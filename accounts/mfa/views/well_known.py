"""Where password managers look for the pages of passkeys."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse

from kellexa_portal.web import gates
from kellexa_portal.web.links import absolute
from kellexa_portal.web.methods import require_safe


@gates.public
@require_safe
def passkey_endpoints(request: HttpRequest) -> JsonResponse:
    """Where passkeys are made and managed (W3C, A Well-Known URL for Relying Party Passkey Endpoints)."""
    return JsonResponse({"enroll": absolute("mfa:passkey_add"), "manage": absolute("mfa:overview")})

"""Where to go next, never to another site (attack case 38, CWE-601)."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

MAX_NEXT_LENGTH = 2000


def is_safe_path(target: str) -> bool:
    """Whether ``target`` is a path of this site; no host, scheme, backslash or control byte in front."""
    return (
        target.startswith("/")
        and len(target) <= MAX_NEXT_LENGTH
        and url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    )


def safe_next(request: HttpRequest, default: str) -> str:
    """The ``next`` that the form or the address names, if it is a path of this site, else ``default``."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    return target if is_safe_path(target) else default

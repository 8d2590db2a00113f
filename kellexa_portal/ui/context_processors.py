"""What every layout needs, computed only when a layout asks for it."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from kellexa_portal.ui.shell import Shell


def page(request: HttpRequest) -> dict[str, object]:
    """``shell``: theme, navigation, organization and person menu of this page."""
    return {"shell": SimpleLazyObject(lambda: Shell(request))}

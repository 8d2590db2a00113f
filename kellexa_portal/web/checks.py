"""System checks of the outer skin."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution

from kellexa_portal.web.gates import gate_of, is_admin_view
from kellexa_portal.web.routes import walk


@register(Tags.urls)
def every_view_declares_a_gate(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """``kellexa.E001``: a view without a gate is a door that nobody decided about."""
    return [
        Error(
            f"The view of '{route.pattern}' declares no gate.",
            hint="Put one of gates.public, gates.signed_in, gates.staff, gates.machine outermost on it.",
            obj=f"{route.view.__module__}.{getattr(route.view, '__qualname__', route.view)}",
            id="kellexa.E001",
        )
        for route in walk()
        if gate_of(route.view) is None and not is_admin_view(route.view)
    ]


@register(Tags.security, deploy=True)
def nothing_private_may_be_visited(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """``kellexa.W002``: a customer who names an address then makes this server visit its own network."""
    if not settings.EGRESS_ALLOW:
        return []
    return [
        Caution(
            "EGRESS_ALLOW lets customers make the portal visit addresses that are not public.",
            hint="Name single addresses of identity providers, or leave it out.",
            id="kellexa.W002",
        )
    ]

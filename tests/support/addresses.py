"""Turns the patterns of the URLconf into addresses that a client can ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from kellexa_portal.web.routes import Route, walk

ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>|\^?\(\?P<(\w+)>[^()]*\)")


def arguments_of(route: Route) -> list[str]:
    """The names of what the address of ``route`` holds."""
    return [typed or grouped for typed, grouped in ARGUMENT.findall(route.pattern)]


def address_of(route: Route, values: Mapping[str, str]) -> str:
    """The address of ``route`` with ``values`` in it, as they are; a missing one is a ``KeyError``."""
    filled = ARGUMENT.sub(lambda found: values[found.group(1) or found.group(2)], route.pattern)
    return "/" + filled.removesuffix("$")


def routes(*, under: tuple[str, ...] = ("",), without: tuple[str, ...] = ()) -> Iterator[Route]:
    """The routes whose pattern begins with one of ``under`` and with none of ``without``."""
    for route in walk():
        if route.pattern.startswith(under) and not (without and route.pattern.startswith(without)):
            yield route

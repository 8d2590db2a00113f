"""Walks the URLconf, so that rules about every view are proved and not remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True, slots=True)
class Route:
    """One address of the portal and the view behind it."""

    pattern: str
    name: str
    view: Callable[..., Any]


def walk(resolver: URLResolver | None = None) -> Iterator[Route]:
    """Every route of the URLconf, depth first, with its full pattern and namespaced name."""
    yield from _walk(resolver or get_resolver(), "", "")


def _walk(resolver: URLResolver, prefix: str, namespace: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry, pattern, inner)
        elif isinstance(entry, URLPattern):
            yield Route(pattern, f"{namespace}{entry.name or ''}", entry.callback)

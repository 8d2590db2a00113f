"""Asks axe-core whether a page in the browser keeps WCAG 2.2 AA."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = Path(__file__).parent.parent / "vendor/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

RUN = """(tags) => axe.run(document, {
    runOnly: {type: 'tag', values: tags}, resultTypes: ['violations'], preload: false,
})"""


def violations(page: Page, *, tags: Iterable[str] = RULES) -> list[str]:
    """One line for each fault: the rule, what it asks for, and the element; empty when the page is in order.

    Nothing is left out. axe is evaluated, not added as a script element, so that the page's own CSP stays
    in force; the inline style that axe sets for a moment is its own noise in a CSP report, not a fault of
    the page.
    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate(RUN, list(tags))
    return [
        f"{fault['id']}: {fault['help']}: {node['html'][:200]} ({node['failureSummary']})"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]

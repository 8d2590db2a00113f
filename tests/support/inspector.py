"""Looks at a page as its visitors do: on a wide light screen and on a narrow dark one."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from tests.support import axe

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

LOOKS: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1280, "light"), (390, "dark"))
HEIGHT = 900
SEVERE = frozenset({"serious", "critical"})

# Chromium reports a violation of the policy on its console as well; the event names the directive.
WATCH = """
    addEventListener('securitypolicyviolation', event => console.error(
        `policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`
    ));
"""
# What moves is waited for, two seconds at most: an animation of a hidden part may never end.
SETTLED = """() => Promise.race([
    Promise.allSettled(document.getAnimations().map(moving => moving.finished)),
    new Promise(enough => setTimeout(enough, 2000)),
]).then(() => true)"""
OVERFLOW = """() => document.documentElement.scrollWidth > innerWidth
    ? [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
        .slice(0, 3).map(e => e.outerHTML.slice(0, 120))
    : []"""


class Inspector:
    """A tab that notes every fault of the pages that it shows."""

    def __init__(self, context: BrowserContext) -> None:
        context.add_init_script(WATCH)
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self.seen: set[str] = set()
        self._heard: list[str] = []
        self.page.on("pageerror", lambda error: self._heard.append(f"it threw: {error}"))
        self.page.on("console", self._listen)

    def _listen(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self._heard.append(message.text)

    def visit(self, url: str, **options: Any) -> None:
        """Goes there, expects the very page, and inspects it."""
        self._look(*LOOKS[0])
        self._heard.clear()
        answer = self.page.goto(url)
        status = answer.status if answer else 0
        if status != 200 or urlsplit(self.page.url).path != urlsplit(url).path:
            self.faults.append(f"{url}: {status} at {self.page.url}")
            return
        self.inspect(**options)

    def inspect(self, *, only_severe: bool = False, excused: Collection[str] = ()) -> None:
        """Notes what is wrong with the page that is shown, in each look; ``excused`` names axe rules."""
        path = urlsplit(self.page.url).path
        self.seen.add(path)
        for width, scheme in LOOKS:
            self._look(width, scheme)
            found = [f"too wide: {html}" for html in self.page.evaluate(OVERFLOW)]
            found += self._heard
            found += self._violations(only_severe, excused)
            # What axe does to the page for a moment is not the page's doing.
            self._heard.clear()
            self.faults += [f"{path} ({width}, {scheme}): {fault}" for fault in found]
        self._look(*LOOKS[0])

    def forget(self, words: str) -> None:
        """Drops what was heard that holds ``words``."""
        self._heard[:] = [heard for heard in self._heard if words not in heard]

    def _look(self, width: int, scheme: Literal["light", "dark"]) -> None:
        """Changes the screen, and waits until no colour is on its way to another."""
        self.page.set_viewport_size({"width": width, "height": HEIGHT})
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        self.page.evaluate(SETTLED)

    def _violations(self, only_severe: bool, excused: Collection[str]) -> list[str]:
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(axe.AXE.read_text(encoding="utf-8"))
        found: dict[str, Any] = self.page.evaluate(axe.RUN, axe.RULES)
        return [
            f"{fault['id']} ({fault['impact']}): {node['html'][:160]} ({node['failureSummary']})"
            for fault in found["violations"]
            if fault["id"] not in excused and (not only_severe or fault["impact"] in SEVERE)
            for node in fault["nodes"]
        ]

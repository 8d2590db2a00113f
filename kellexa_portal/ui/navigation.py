"""Where the layouts get their links from: apps above register them, so that ``ui`` knows no app.

Each app registers in its ``AppConfig.ready()``. What does not resolve is left out, so a page never shows
a link that leads nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.http import HttpRequest
from django.urls import NoReverseMatch, resolve, reverse
from django.utils.functional import Promise

from kellexa_portal.web.gates import would_admit

Text = str | Promise
Visible = Callable[[HttpRequest], bool]


@dataclass(frozen=True, slots=True)
class NavItem:
    """A link that an app offers; ``also`` names further URL names during which it counts as current."""

    label: Text
    url_name: str
    icon: str = ""
    order: int = 100
    also: tuple[str, ...] = ()
    visible: Visible | None = None


@dataclass(frozen=True, slots=True)
class NavLink:
    """A link of one page: resolved, and current or not."""

    label: Text
    url: str
    icon: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class OrganizationChoice:
    """One organization that the person may switch to; ``value`` is what the switch form posts."""

    value: str
    name: str
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class OrganizationMenu:
    """The organization at the left top, and the others to switch to by a POST to ``switch_url_name``."""

    name: str
    switch_url_name: str = ""
    field: str = "organization"
    choices: tuple[OrganizationChoice, ...] = ()

    @property
    def switch_url(self) -> str:
        """Where the switch form posts to; empty when there is nothing to switch."""
        return url_of(self.switch_url_name) if len(self.choices) > 1 else ""


@dataclass(frozen=True, slots=True)
class Banner:
    """One line at the head of every page with one action, until its cause is gone."""

    title: Text
    text: Text
    url: str
    action: Text
    tone: str = "attention"


BannerSource = Callable[[HttpRequest], Banner | None]
OrganizationSource = Callable[[HttpRequest], OrganizationMenu | None]


@dataclass(slots=True)
class Registry:
    """What the apps have registered. One instance serves the process; tests make their own."""

    customer: dict[str, NavItem] = field(default_factory=dict)
    public: dict[str, NavItem] = field(default_factory=dict)
    footer: dict[str, NavItem] = field(default_factory=dict)
    account: dict[str, NavItem] = field(default_factory=dict)
    sign_in: NavItem | None = None
    sign_out: NavItem | None = None
    alarm: NavItem | None = None
    organizations: OrganizationSource | None = None
    banners: dict[str, BannerSource] = field(default_factory=dict)


registry = Registry()


def register_item(
    *,
    label: Text,
    url_name: str,
    icon: str = "",
    order: int = 100,
    also: tuple[str, ...] = (),
    visible: Visible | None = None,
) -> None:
    """Adds a link to the customer's side navigation; the same ``url_name`` again replaces it."""
    registry.customer[url_name] = NavItem(label, url_name, icon, order, also, visible)


def register_public_link(
    *, label: Text, url_name: str, icon: str = "", order: int = 100, visible: Visible | None = None
) -> None:
    """Adds a link to the header of public pages."""
    registry.public[url_name] = NavItem(label, url_name, icon, order, (), visible)


def register_footer_link(*, label: Text, url_name: str, order: int = 100) -> None:
    """Adds a link to the footer of every page."""
    registry.footer[url_name] = NavItem(label, url_name, "", order)


def register_account_link(
    *, label: Text, url_name: str, icon: str = "", order: int = 100, visible: Visible | None = None
) -> None:
    """Adds a link to the person's menu at the right top."""
    registry.account[url_name] = NavItem(label, url_name, icon, order, (), visible)


def register_sign_in(*, url_name: str, label: Text) -> None:
    """Names the sign-in page that the public header links to."""
    registry.sign_in = NavItem(label, url_name, "log-in")


def register_sign_out(*, url_name: str, label: Text) -> None:
    """Names the view that the sign-out form posts to."""
    registry.sign_out = NavItem(label, url_name, "log-out")


def register_alarm(*, url_name: str, label: Text) -> None:
    """Names the lock-down page: one click away from every customer page."""
    registry.alarm = NavItem(label, url_name, "siren")


def register_organizations(source: OrganizationSource) -> None:
    """Names the function that knows the active organization and those to switch to."""
    registry.organizations = source


def register_banner(name: str, source: BannerSource) -> None:
    """Names a function that knows what a person has to hear on every page; the same name replaces it."""
    registry.banners[name] = source


def url_of(url_name: str) -> str:
    """The path of ``url_name``, or an empty text when this portal does not serve it."""
    try:
        return reverse(url_name) if url_name else ""
    except NoReverseMatch:
        return ""


def links(items: Iterable[NavItem], request: HttpRequest) -> list[NavLink]:
    """The visible links that resolve and admit this person, in order, the page's own one as current."""
    found = [
        (item, url_of(item.url_name))
        for item in sorted(items, key=lambda item: (item.order, str(item.label)))
        if item.visible is None or item.visible(request)
    ]
    resolved = [(item, url) for item, url in found if url and would_admit(resolve(url).func, request)]
    current = _current(resolved, request)
    return [NavLink(item.label, url, item.icon, url == current) for item, url in resolved]


def link(item: NavItem | None, request: HttpRequest) -> NavLink | None:
    """The one link of ``item``, or ``None`` when there is none to show."""
    return next(iter(links([item] if item else [], request)), None)


def _current(resolved: list[tuple[NavItem, str]], request: HttpRequest) -> str:
    """The URL of the item that the page belongs to.

    The longest prefix wins; a root that other items lie under (``/accounts/``) is current only on its own
    page, else every page without an item of its own would light it up.
    """
    match = request.resolver_match
    view_name = match.view_name if match else ""
    urls = [url for _, url in resolved]
    for item, url in resolved:
        if view_name and view_name in {item.url_name, *item.also}:
            return url
    if request.path in urls:
        return request.path
    leaves = [url for url in urls if not any(other != url and other.startswith(url) for other in urls)]
    return max((url for url in leaves if request.path.startswith(url)), key=len, default="")

"""The frame around a page: theme, navigation, organization, person. Read by the layouts only."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.utils.functional import cached_property

from kellexa_portal.ui import navigation
from kellexa_portal.ui.navigation import Banner, NavLink, OrganizationMenu, registry
from kellexa_portal.ui.theme import Theme, theme_of


class Shell:
    """The frame of one request's page; each part is worked out when a layout first asks for it.

    Holds nothing that the request did not already hold, so an error page can draw it without a database.
    """

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def path(self) -> str:
        """Where the theme switch returns to: this page with its filters, or the start after a POST."""
        return (
            self._request.get_full_path() if self._request.method in {"GET", "HEAD"} else self._request.path
        )

    @cached_property
    def theme(self) -> Theme:
        """The chosen theme."""
        return theme_of(self._request)

    @property
    def color_scheme(self) -> str:
        """What the browser may paint before the style sheet is there."""
        return "light dark" if self.theme is Theme.SYSTEM else self.theme.value

    @property
    def themes(self) -> list[tuple[Theme, bool]]:
        """The positions of the switch, each with whether it is the chosen one."""
        return [(theme, theme is self.theme) for theme in Theme]

    @property
    def theme_url(self) -> str:
        """Where the switch posts to."""
        return navigation.url_of("ui:theme")

    @cached_property
    def items(self) -> list[NavLink]:
        """The customer's side navigation."""
        return navigation.links(registry.customer.values(), self._request)

    @cached_property
    def public_links(self) -> list[NavLink]:
        """The links of the public header."""
        return navigation.links(registry.public.values(), self._request)

    @cached_property
    def footer_links(self) -> list[NavLink]:
        """The links of every footer."""
        return navigation.links(registry.footer.values(), self._request)

    @cached_property
    def account_links(self) -> list[NavLink]:
        """The links of the person's menu."""
        return navigation.links(registry.account.values(), self._request)

    @cached_property
    def home(self) -> NavLink | None:
        """The customer's first page."""
        return next(iter(self.items), None)

    @cached_property
    def sign_in(self) -> NavLink | None:
        """The sign-in page."""
        return navigation.link(registry.sign_in, self._request)

    @cached_property
    def sign_out(self) -> NavLink | None:
        """The sign-out form's target."""
        return navigation.link(registry.sign_out, self._request)

    @cached_property
    def alarm(self) -> NavLink | None:
        """The lock-down page."""
        return navigation.link(registry.alarm, self._request)

    @cached_property
    def person(self) -> AbstractBaseUser | None:
        """Who is signed in; the menu shows ``name`` and ``email``."""
        user = getattr(self._request, "user", None)
        return user if user is not None and user.is_authenticated else None

    @cached_property
    def banners(self) -> list[Banner]:
        """What the person has to hear on every page."""
        found = [source(self._request) for source in registry.banners.values()]
        return [banner for banner in found if banner is not None]

    @cached_property
    def organization(self) -> OrganizationMenu | None:
        """The active organization, or ``None`` for a person without one."""
        return registry.organizations(self._request) if registry.organizations else None

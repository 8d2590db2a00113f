"""Reads of organizations; each starts from the membership of the person who asks."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.organizations.models import Membership
from kellexa_portal.ui.navigation import OrganizationChoice, OrganizationMenu

SESSION_KEY = "active_organization"
_PLACES = "_kellexa_memberships"


def memberships_of(user: Any) -> QuerySet[Membership]:
    """The places of ``user``, oldest first, with their organizations; none for staff and strangers."""
    if not user.is_authenticated or not user.is_active or user.is_staff:
        return Membership.objects.none()
    return Membership.objects.filter(user=user).select_related("organization").order_by("pk")


def places_of(request: HttpRequest) -> list[Membership]:
    """The places of the person who asks; one query a request, however often it is asked."""
    if not hasattr(request, _PLACES):
        user: Any = getattr(request, "user", None)
        places = list(memberships_of(user)) if user is not None else []
        for membership in places:
            membership.user = user
        setattr(request, _PLACES, places)
    found: list[Membership] = getattr(request, _PLACES)
    return found


def active_membership(request: HttpRequest) -> Membership | None:
    """The place in which the person acts now: the one chosen in the session, else their first.

    A choice that no longer holds falls back silently, so that a removed person keeps no access and
    meets no broken page.
    """
    places = places_of(request)
    if not places:
        return None
    chosen = str(request.session.get(SESSION_KEY, ""))
    return next((place for place in places if str(place.organization.public_id) == chosen), places[0])


def choose(request: HttpRequest, membership: Membership) -> None:
    """Makes ``membership`` the one in which the person acts for the rest of the session."""
    request.session[SESSION_KEY] = str(membership.organization.public_id)


def menu_of(request: HttpRequest) -> OrganizationMenu | None:
    """The organization switcher of the layout; ``None`` for a person without an organization."""
    active = active_membership(request)
    if active is None:
        return None
    return OrganizationMenu(
        name=active.organization.name,
        switch_url_name="organizations:switch",
        choices=tuple(
            OrganizationChoice(
                str(place.organization.public_id), place.organization.name, place.pk == active.pk
            )
            for place in places_of(request)
        ),
    )


def members_of(membership: Membership) -> QuerySet[Membership]:
    """The people of the same organization, with their accounts."""
    return Membership.objects.filter(organization=membership.organization_id).select_related("user")

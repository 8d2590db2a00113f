"""Reads of single sign-on."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from accounts.identity.models import User
from accounts.organizations.models import Membership, Organization
from accounts.sso import rules
from accounts.sso.models import Connection, Domain


def connection_of(organization: Organization) -> Connection | None:
    """The organization's provider, tested or not."""
    return (
        Connection.objects.select_related("organization", "emergency__user")
        .filter(organization=organization)
        .first()
    )


def domains_of(organization: Organization) -> QuerySet[Domain]:
    """Every domain that the organization has named, by name."""
    return Domain.objects.filter(organization=organization).order_by("name")


def has_verified(organization: Organization, domain: str) -> bool:
    """Whether ``domain`` is verified for this very organization."""
    return Domain.objects.verified().filter(organization=organization, name=domain).exists()


def open_connection_for(email: str) -> Connection | None:
    """The tested provider of whoever has shown that the domain of ``email`` is theirs."""
    domain = Domain.objects.verified().filter(
        name=rules.domain_of(email), organization=OuterRef("organization")
    )
    tested = Connection.objects.filter(Exists(domain), tested_at__isnull=False)
    return tested.select_related("organization").first()


def enforcing(user: User) -> Connection | None:
    """The provider that is the only way in for ``user``, emergency or not; asked live, stored nowhere.

    An organization closes other ways for its own members alone, and for them only under a domain that it
    still holds.
    """
    if user.is_staff:
        return None
    place = Membership.objects.filter(user=user, organization=OuterRef("organization"))
    domain = Domain.objects.verified().filter(
        name=rules.domain_of(user.email), organization=OuterRef("organization")
    )
    enforced = Connection.objects.filter(Exists(place), Exists(domain), enforced_at__isnull=False)
    return enforced.select_related("organization", "emergency__user").first()


def is_emergency_owner(user: User, connection: Connection) -> bool:
    """Whether ``user`` may pass without the provider.

    The named owner, while they are one; when nobody fit is named any more, every owner, so that an
    organization is never locked out by its provider's fall.
    """
    owners = Membership.objects.filter(
        organization=connection.organization, role=Membership.Role.OWNER, user__is_active=True
    )
    if not owners.filter(user=user).exists():
        return False
    named = connection.emergency_id
    if named is None or not owners.filter(pk=named).exists():
        return True
    return owners.filter(pk=named, user=user).exists()


def domains_to_check(now: datetime) -> list[Domain]:
    """Verified domains that are due, longest waiting first."""
    return list(Domain.objects.due(now).select_related("organization").order_by("checked_at", "pk")[:200])


def owners_of(organization: Organization) -> list[User]:
    """Who is told of what happens to the organization's sign-in."""
    places = organization.memberships.filter(role=Membership.Role.OWNER).select_related("user").order_by("pk")
    return [place.user for place in places]

"""Organizations and the people in them, ready made."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

from django.utils import timezone

from accounts.identity.models import User
from accounts.organizations import actions
from accounts.organizations.models import Invitation, Membership, MfaPolicy, Organization
from kellexa_portal.core.actor import Actor
from tests.accounts.identity.mailbox import path_to
from tests.factories.accounts import user

_numbers = count(1)

SETUP = Actor.system("tests")


def organization(
    name: str = "", *, owner: User | None = None, kind: str = Organization.Kind.CUSTOMER
) -> Organization:
    """An organization with its owner."""
    return founder(name, owner=owner, kind=kind).organization


def founder(
    name: str = "", *, owner: User | None = None, kind: str = Organization.Kind.CUSTOMER
) -> Membership:
    """The owner's membership of a new organization."""
    number = next(_numbers)
    person = owner or user(name=f"Owner {number}")
    return actions.create_organization(
        actor=Actor.of(person), owner=person, name=name or f"Organization {number}", kind=kind
    )


def member(
    organization: Organization, role: str = Membership.Role.MEMBER, *, person: User | None = None
) -> Membership:
    """A further person with ``role``."""
    someone = person or user(name=f"{role.title()} {next(_numbers)}")
    return actions.add_member(actor=SETUP, organization=organization, user=someone, role=role)


def everyone(organization: Organization) -> dict[str, Membership]:
    """One person for each role; the owner is the founder."""
    owner = Membership.objects.select_related("user", "organization").get(
        organization=organization, role=Membership.Role.OWNER
    )
    others = [role for role in Membership.Role if role != Membership.Role.OWNER]
    return {str(Membership.Role.OWNER): owner} | {str(role): member(organization, role) for role in others}


def invited(
    by: Membership, email: str = "ada@new.example", role: str = Membership.Role.MEMBER
) -> tuple[Invitation, str]:
    """An open invitation and the path of its mailed link."""
    invitation = actions.invite(actor=Actor.of(by.user), by=by, email=email, role=role)
    return invitation, path_to(email)


def passkey_policy(
    organization: Organization, *, grace_days: int = 14, set_ago: timedelta = timedelta(0)
) -> MfaPolicy:
    """A policy that asks for passkeys, chosen ``set_ago``, whoever has one."""
    policy, _is_new = MfaPolicy.objects.update_or_create(
        organization=organization,
        defaults={
            "requirement": MfaPolicy.Requirement.PHISHING_RESISTANT,
            "grace_days": grace_days,
            "set_at": timezone.now() - set_ago,
        },
    )
    return policy


def joined_ago(place: Membership, ago: timedelta) -> Membership:
    """The place, taken ``ago``."""
    place.created_at = timezone.now() - ago
    place.save(update_fields=["created_at"])
    return place

"""Makes or completes what the demo's organizations ask of their people, and whom they invited."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.organizations import rules
from accounts.organizations.actions import invite
from accounts.organizations.models import Invitation, Membership, MfaPolicy
from accounts.sso.models import Connection, Domain
from kellexa_portal.core.actor import Actor
from kellexa_portal.dev.demo import cast

RENEWED_AFTER = timedelta(days=14)


def ensure_invitations() -> None:
    """The open invitations of Acme, one of them past its time."""
    owner = _owner_of(cast.INVITING)
    for wanted in cast.INVITATIONS:
        if Invitation.objects.to_address(wanted.email).filter(organization=owner.organization).exists():
            continue
        invitation = invite(actor=Actor.of(owner.user), by=owner, email=wanted.email, role=wanted.role)
        if wanted.is_expired:
            invitation.expires_at = timezone.now() - timedelta(days=1)
            invitation.sent_at = invitation.expires_at - rules.INVITATION_LIFETIME
            invitation.save(update_fields=["sent_at", "expires_at"])


def ensure_policy() -> None:
    """The policy of Globex, written past the action, which would ask its owner for a passkey first.

    Renewed before its date comes, so that the demo never locks its own people out.
    """
    organization = _owner_of(cast.STRICT).organization
    now = timezone.now()
    policy = MfaPolicy.objects.filter(organization=organization).first() or MfaPolicy(
        organization=organization, grace_days=rules.MAX_GRACE_DAYS
    )
    if not policy.pk or policy.set_at < now - RENEWED_AFTER:
        policy.requirement = MfaPolicy.Requirement.PHISHING_RESISTANT
        policy.set_at = policy.updated_at = now
        policy.save()


def ensure_single_sign_on() -> None:
    """A domain of Acme that waits for its record, and a provider that was never tested: none of it exists.

    Written past the actions, which would ask a provider that is not there.
    """
    organization = _owner_of(cast.INVITING).organization
    domain = cast.DOMAINS[cast.INVITING]
    if not Domain.objects.filter(organization=organization, name=domain).exists():
        Domain.objects.create(organization=organization, name=domain, token="demo" * 10)
    if not Connection.objects.filter(organization=organization).exists():
        issuer = f"https://idp.{domain}"
        connection = Connection(
            organization=organization,
            issuer=issuer,
            client_id="demo-client",
            metadata={
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/jwks",
            },
        )
        connection.close_secret("demo-secret")
        connection.save()


def _owner_of(name: str) -> Membership:
    return Membership.objects.select_related("organization", "user").get(
        organization__name=name, role=Membership.Role.OWNER
    )

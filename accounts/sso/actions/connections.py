"""The organization's provider: connected, tested by whoever connects it, required, and let go."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.mfa.queries import has_factor
from accounts.organizations.access import Permission
from accounts.organizations.actions import evidence as places
from accounts.organizations.models import Membership
from accounts.sso import emails, oidc, queries
from accounts.sso.actions.evidence import note
from accounts.sso.events import SsoEvent
from accounts.sso.models import Connection, Domain
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault


class ProviderUnfitError(DomainError):
    """The address answers with nothing that can be used as a provider."""

    code = "org.sso.unfit"
    fault = Fault.INVALID
    message = _(
        "No OpenID Connect provider answers there as this portal needs it (%(reason)s). Check the address: "
        "it is the “issuer”, begins with https:// and is reachable from the Internet."
    )


class NotConnectedError(DomainError):
    """There is no provider, or none that was tested as it stands now."""

    code = "org.sso.not_connected"
    fault = Fault.CONFLICT
    message = _("Connect an identity provider and test it first.")


class NoDomainError(DomainError):
    """Nothing shows which addresses are the organization's."""

    code = "org.sso.no_domain"
    fault = Fault.CONFLICT
    message = _("Verify a domain first. Single sign-on is required of people with an address of it.")


class UnfitEmergencyOwnerError(DomainError):
    """The person named for emergencies could not come in."""

    code = "org.sso.unfit_emergency"
    fault = Fault.INVALID
    message = _("Choose an owner who is active and has a second factor.")


def save_connection(
    *, actor: Actor, by: Membership, issuer: str, client_id: str, client_secret: str, creates_members: bool
) -> Connection:
    """Keeps who the provider is; sign-in through it is closed until it was tested as it stands now.

    The provider is asked before anything is locked. An empty secret keeps the present one, unless the issuer
    changes: a secret is never sent to another than whom it was given for. Raises ``Forbidden`` or
    ``ProviderUnfitError``.
    """
    places.authorise(actor=actor, by=by, permission=Permission.POLICY_CHANGE)
    try:
        metadata = oidc.discover(issuer)
    except oidc.ProviderError as error:
        raise ProviderUnfitError(reason=str(error)) from error
    with transaction.atomic():
        place = places.lock_and_authorise(actor=actor, by=by, permission=Permission.POLICY_CHANGE)
        known = queries.connection_of(place.organization)
        connection = known or Connection(organization=place.organization)
        is_other = known is None or (known.issuer, known.client_id) != (issuer, client_id)
        if not client_secret and is_other:
            raise ProviderUnfitError(reason="client_secret")
        if known is not None and known.issuer != issuer:
            connection.links.all().delete()
        if client_secret:
            connection.close_secret(client_secret)
        if is_other or client_secret or connection.metadata != metadata:
            connection.tested_at = connection.enforced_at = None
        connection.issuer, connection.client_id, connection.metadata = issuer, client_id, metadata
        connection.creates_members, connection.updated_at = creates_members, timezone.now()
        connection.save()
        note(
            SsoEvent.CONNECTED,
            actor=actor,
            organization=place.organization,
            changes={"issuer": issuer, "client_id": client_id, "creates_members": creates_members},
        )
        emails.changed(SsoEvent.CONNECTED, connection=connection, by=place.user, actor=actor)
        return connection


def open_after_test(*, actor: Actor, by: Membership, connection: Connection) -> Connection:
    """Opens sign-in through the provider, by which the acting person has just come.

    Raises ``Forbidden``, and ``NotConnectedError`` when the settings changed during the test.
    """
    with transaction.atomic():
        place = places.lock_and_authorise(actor=actor, by=by, permission=Permission.POLICY_CHANGE)
        present = queries.connection_of(place.organization)
        if present is None or present.pk != connection.pk or present.updated_at != connection.updated_at:
            raise NotConnectedError
        present.tested_at = timezone.now()
        present.save(update_fields=["tested_at"])
        note(SsoEvent.TESTED, actor=actor, organization=place.organization)
        emails.changed(SsoEvent.TESTED, connection=present, by=place.user, actor=actor)
        return present


def enforce(*, actor: Actor, by: Membership, emergency: UUID) -> Connection:
    """Closes every other way in for people of the organization's verified domains, but for one owner.

    The caller spends a step-up for exactly this in the same transaction. ``emergency`` is the public id of
    the owner's place. Raises ``Forbidden``, ``NotConnectedError``, ``NoDomainError`` or
    ``UnfitEmergencyOwnerError``.
    """
    with transaction.atomic():
        place = places.lock_and_authorise(actor=actor, by=by, permission=Permission.POLICY_CHANGE)
        connection = queries.connection_of(place.organization)
        if connection is None or connection.tested_at is None:
            raise NotConnectedError
        if not Domain.objects.verified().filter(organization=place.organization).exists():
            raise NoDomainError
        owners = place.organization.memberships.filter(role=Membership.Role.OWNER, user__is_active=True)
        owner = owners.select_related("user").filter(public_id=emergency).first()
        if owner is None or not has_factor(owner.user):
            raise UnfitEmergencyOwnerError
        connection.enforced_at = connection.enforced_at or timezone.now()
        connection.emergency = owner
        connection.save(update_fields=["enforced_at", "emergency"])
        changes = {"emergency": str(owner.user.public_id)}
        note(SsoEvent.ENFORCED, actor=actor, organization=place.organization, changes=changes)
        emails.changed(SsoEvent.ENFORCED, connection=connection, by=place.user, actor=actor)
        return connection


def relax(*, actor: Actor, by: Membership) -> None:
    """Opens the other ways in again. Raises ``Forbidden`` or ``NotConnectedError``."""
    with transaction.atomic():
        place = places.lock_and_authorise(actor=actor, by=by, permission=Permission.POLICY_CHANGE)
        connection = queries.connection_of(place.organization)
        if connection is None or connection.enforced_at is None:
            raise NotConnectedError
        connection.enforced_at = connection.emergency = None
        connection.save(update_fields=["enforced_at", "emergency"])
        note(SsoEvent.RELAXED, actor=actor, organization=place.organization)
        emails.changed(SsoEvent.RELAXED, connection=connection, by=place.user, actor=actor)


def disconnect(*, actor: Actor, by: Membership) -> None:
    """Forgets the provider, its secret and its links. Raises ``Forbidden`` or ``NotConnectedError``."""
    with transaction.atomic():
        place = places.lock_and_authorise(actor=actor, by=by, permission=Permission.POLICY_CHANGE)
        connection = queries.connection_of(place.organization)
        if connection is None:
            raise NotConnectedError
        note(
            SsoEvent.DISCONNECTED,
            actor=actor,
            organization=place.organization,
            changes={"issuer": connection.issuer},
        )
        emails.changed(SsoEvent.DISCONNECTED, connection=connection, by=place.user, actor=actor)
        connection.delete()

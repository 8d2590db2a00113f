"""Domains: named by anybody, verified by a TXT record that only their owner can set, lapsed without it."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identity import access as people
from accounts.organizations.access import Permission
from accounts.organizations.actions import evidence as places
from accounts.organizations.models import Membership
from accounts.sso import emails, queries, rules
from accounts.sso.actions.evidence import note, note_refusal
from accounts.sso.events import SsoEvent
from accounts.sso.models import Connection, Domain
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault
from kellexa_portal.egress import NamesUnavailable, texts_of

TOKEN_BYTES = 20


class UnfitDomainError(DomainError):
    """The text names no domain that a company can own."""

    code = "org.domain.unfit"
    fault = Fault.INVALID
    message = _("This is no domain that only your organization gives addresses of, such as example.com.")


class DomainKnownError(DomainError):
    """The organization has named it before, or named enough."""

    code = "org.domain.known"
    fault = Fault.CONFLICT
    message = _("This domain stands in your list already, or the list is full.")


class NoSuchDomainError(DomainError):
    """Nothing of this name belongs to the organization."""

    code = "org.domain.unknown"
    fault = Fault.NOT_FOUND
    message = _("There is no such domain.")


class RecordMissingError(DomainError):
    """The record is not there, for all that name servers say."""

    code = "org.domain.record_missing"
    fault = Fault.INVALID
    message = _(
        "The TXT record was not found yet. A new one takes a few minutes, at some providers an hour, to be "
        "seen everywhere."
    )


class NameServersSilentError(DomainError):
    """No name server gave a definite answer."""

    code = "org.domain.unavailable"
    fault = Fault.UNAVAILABLE
    message = _("The name servers of this domain didn’t answer. Try again in a minute.")


class DomainTakenError(DomainError):
    """Another organization has verified it."""

    code = "org.domain.taken"
    fault = Fault.CONFLICT
    message = _("Another organization has verified this domain. It has to remove it first; write to us.")


class DomainNeededError(DomainError):
    """Single sign-on is required and stands on this domain alone."""

    code = "org.domain.needed"
    fault = Fault.CONFLICT
    message = _("Single sign-on is required. Stop requiring it before you remove a verified domain.")


def add_domain(*, actor: Actor, by: Membership, name: str) -> Domain:
    """Notes that the organization calls a domain its own; that alone means nothing.

    Raises ``Forbidden``, ``UnfitDomainError`` or ``DomainKnownError``.
    """
    domain = rules.clean_domain(name)
    with transaction.atomic():
        place = places.lock_and_authorise(actor=actor, by=by, permission=Permission.POLICY_CHANGE)
        if domain is None or domain in rules.FREE_MAIL:
            raise UnfitDomainError
        known = queries.domains_of(place.organization)
        if known.filter(name=domain).exists() or known.count() >= rules.MAX_DOMAINS:
            raise DomainKnownError
        row = Domain.objects.create(
            organization=place.organization, name=domain, token=secrets.token_hex(TOKEN_BYTES)
        )
        note(SsoEvent.DOMAIN_ADDED, actor=actor, organization=place.organization, changes={"domain": domain})
        return row


def verify_domain(*, actor: Actor, by: Membership, public_id: UUID) -> Domain:
    """Looks for the record and takes the domain for the organization's when it is there.

    The name server is asked before anything is locked. Raises ``Forbidden``, ``NoSuchDomainError``,
    ``RecordMissingError``, on record, ``NameServersSilentError`` or ``DomainTakenError``.
    """
    places.authorise(actor=actor, by=by, permission=Permission.POLICY_CHANGE)
    domain = _find(by, public_id)
    try:
        is_there = domain.record_value in texts_of(domain.record_name)
    except NamesUnavailable as error:
        raise NameServersSilentError from error
    if not is_there:
        note_refusal(
            SsoEvent.DOMAIN_REFUSED,
            actor=actor,
            organization=domain.organization,
            reason=RecordMissingError.code,
            changes={"domain": domain.name},
        )
        raise RecordMissingError
    with transaction.atomic():
        place = places.lock_and_authorise(actor=actor, by=by, permission=Permission.POLICY_CHANGE)
        domain = _find(place, public_id)
        is_new = domain.verified_at is None
        now = timezone.now()
        domain.verified_at, domain.checked_at, domain.missing_since = domain.verified_at or now, now, None
        try:
            with transaction.atomic():
                domain.save(update_fields=["verified_at", "checked_at", "missing_since"])
        except IntegrityError as error:
            raise DomainTakenError from error
        if is_new:
            changes = {"domain": domain.name}
            note(SsoEvent.DOMAIN_VERIFIED, actor=actor, organization=domain.organization, changes=changes)
            emails.domain_changed(SsoEvent.DOMAIN_VERIFIED, domain=domain, by=place.user, actor=actor)
        return domain


def remove_domain(*, actor: Actor, by: Membership, public_id: UUID) -> None:
    """Lets go of a domain. Raises ``Forbidden``, ``NoSuchDomainError`` or ``DomainNeededError``."""
    with transaction.atomic():
        place = places.lock_and_authorise(actor=actor, by=by, permission=Permission.POLICY_CHANGE)
        domain = _find(place, public_id)
        enforced = Connection.objects.filter(organization=place.organization, enforced_at__isnull=False)
        if domain.verified_at is not None and enforced.exists():
            raise DomainNeededError
        note(
            SsoEvent.DOMAIN_REMOVED,
            actor=actor,
            organization=place.organization,
            changes={"domain": domain.name},
        )
        if domain.verified_at is not None:
            emails.domain_changed(SsoEvent.DOMAIN_REMOVED, domain=domain, by=place.user, actor=actor)
        domain.delete()


def check_due(*, actor: Actor, now: datetime) -> int:
    """Looks again for the records of verified domains; answers how many domains lapsed.

    A name server that is silent says nothing: only a record that is certainly gone counts, and only once it
    has been gone for ``rules.DOMAIN_GRACE``.
    """
    people.require_system(actor)
    lapsed = 0
    for domain in queries.domains_to_check(now):
        try:
            is_there = domain.record_value in texts_of(domain.record_name)
        except NamesUnavailable:
            continue
        lapsed += _note_check(domain, is_there=is_there, now=now)
    return lapsed


def _note_check(domain: Domain, *, is_there: bool, now: datetime) -> bool:
    with transaction.atomic():
        rows = Domain.objects.select_for_update(of=("self",)).select_related("organization")
        row = rows.filter(pk=domain.pk, verified_at__isnull=False, checked_at=domain.checked_at).first()
        if row is None:
            return False
        row.checked_at = now
        is_first = not is_there and row.missing_since is None
        row.missing_since = None if is_there else row.missing_since or now
        has_lapsed = rules.is_lapsed(row.missing_since, now=now)
        if has_lapsed:
            row.verified_at = row.missing_since = None
            note(
                SsoEvent.DOMAIN_LAPSED,
                actor=Actor.system("sso"),
                organization=row.organization,
                changes={"domain": row.name},
            )
            emails.domain_lapsed(domain=row)
        elif is_first:
            emails.domain_missing(domain=row, until=now + rules.DOMAIN_GRACE)
        row.save(update_fields=["verified_at", "checked_at", "missing_since"])
        return has_lapsed


def _find(place: Membership, public_id: UUID) -> Domain:
    """A domain of the person's own organization; another's is not there (attack case 43)."""
    found = queries.domains_of(place.organization).select_related("organization")
    domain = found.filter(public_id=public_id).first()
    if domain is None:
        raise NoSuchDomainError
    return domain

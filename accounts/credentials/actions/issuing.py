"""New keys: from nothing, or in the place of an older one."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.credentials import access, emails, queries, rules, scopes, seals, signals, tokens, verification
from accounts.credentials.actions import errors, evidence
from accounts.credentials.actions.contacts import attach_contacts, checked_contacts
from accounts.credentials.events import KeyEvent
from accounts.credentials.models import ApiKey
from accounts.identity import quarantine
from accounts.identity.models import User
from accounts.organizations.access import permissions_of
from accounts.organizations.models import Membership, Organization
from kellexa_portal.core.actor import Actor


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key and, this once, its token. Printing it shows no token."""

    key: ApiKey
    token: str = field(repr=False)
    replaced: ApiKey | None = None


def create_key(
    *,
    actor: Actor,
    by: Membership,
    name: str,
    kind: str,
    environment: str,
    scope_names: Sequence[str],
    expires_at: datetime | None = None,
    allowed_networks: Iterable[str] = (),
    owner_label: str = "",
    contacts: Sequence[User] = (),
    form_nonce: uuid.UUID | None = None,
) -> IssuedKey:
    """A new key of ``by``'s organization, owned by that person; by default it lives 90 days.

    ``form_nonce`` makes the creation happen once for one form, however often it is sent.
    """
    with transaction.atomic():
        if kind not in ApiKey.Kind.values:
            raise errors.InvalidKind
        if not access.may_create(by, kind):
            raise evidence.refuse(actor=actor, by=by, target=None, attempt=f"create_{kind}")
        quarantine.require_free(by.user)
        if environment not in ApiKey.Environment.values:
            raise errors.InvalidEnvironment
        now = timezone.now()
        key = ApiKey(
            organization=by.organization,
            owner=by.user,
            owner_label=_checked_label(owner_label),
            kind=ApiKey.Kind(kind),
            environment=ApiKey.Environment(environment),
            name=_checked_name(name),
            scopes=_checked_scopes(scope_names, by),
            allowed_networks=checked_networks(allowed_networks),
            created_at=now,
            expires_at=_checked_expiry(expires_at, now),
            form_nonce=form_nonce or uuid.uuid4(),
        )
        people = checked_contacts(key, contacts)
        token = _issue(key)
        attach_contacts(key, people)
        evidence.note(KeyEvent.CREATED, actor=actor, key=key, changes=_facts(key))
        for person in queries.addressees(key, by=by):
            emails.key_created(key=key, to=person, at=now, actor=actor)
        signals.key_created.send(sender=ApiKey, key=key)
        return IssuedKey(key, token)


def require_creator(*, actor: Actor, by: Membership) -> None:
    """Refuses, on record, a person whose role includes no kind of key, before their form is even read.

    A person in quarantine is told so here, too (``QuarantinedError``).
    """
    if not any(access.may_create(by, kind) for kind in ApiKey.Kind.values):
        raise evidence.refuse(actor=actor, by=by, target=None, attempt="create")
    quarantine.require_free(by.user)


def require_rotator(*, actor: Actor, by: Membership, key: ApiKey) -> None:
    """Refuses, on record, a person who may not rotate ``key``, before their form is even read.

    A person in quarantine is told so here, too (``QuarantinedError``).
    """
    if not access.may_rotate(by, key):
        raise evidence.refuse(actor=actor, by=by, target=evidence.target_of(key), attempt="rotate")
    quarantine.require_free(by.user)


def rotate_key(
    *,
    actor: Actor,
    by: Membership,
    key: ApiKey,
    overlap: timedelta = rules.DEFAULT_OVERLAP,
    force: bool = False,
) -> IssuedKey:
    """A successor with the same rights; the old key ends after ``overlap``, never later than it would have.

    The family is locked, so of two rotations at once one wins and the other meets ``AlreadyRotated``. At
    most two keys of a family work at a time; ``force`` ends an earlier one at once to make room.
    """
    with transaction.atomic():
        require_rotator(actor=actor, by=by, key=key)
        now = timezone.now()
        if not timedelta(0) <= overlap <= rules.MAX_OVERLAP:
            raise errors.InvalidOverlap
        family = _lock_family(key)
        old = next(row for row in family if row.pk == key.pk)
        _require_rotatable(old)
        earlier = [row for row in family if row.pk != old.pk and row.state_at(now) in rules.UNENDED]
        if len(earlier) + 2 > rules.MAX_LIVE_IN_FAMILY:
            if not force:
                raise errors.FamilyFull
            _end_now(earlier, now)
        successor, token = _succeed(old, now)
        _retire(old, successor, overlap=overlap, now=now)
        _report_rotation(actor, by, old, successor, now=now, ended=[row.key_id for row in earlier])
        return IssuedKey(successor, token, replaced=old)


def _report_rotation(
    actor: Actor, by: Membership, old: ApiKey, successor: ApiKey, *, now: datetime, ended: list[str]
) -> None:
    changes = {
        "successor": successor.key_id,
        "works_until": old.expires_at.isoformat(),
        "expires_at": successor.expires_at.isoformat(),
    }
    if ended:
        changes["ended_at_once"] = ", ".join(ended)
    evidence.note(KeyEvent.ROTATED, actor=actor, key=old, changes=changes)
    for person in queries.addressees(successor, by=by):
        emails.key_rotated(old=old, successor=successor, to=person, at=now, actor=actor)
    signals.key_rotated.send(sender=ApiKey, key=old, successor=successor)


def _lock_family(key: ApiKey) -> list[ApiKey]:
    rows = (
        ApiKey.objects.for_change().filter(family=key.family, organization=key.organization_id).order_by("pk")
    )
    return list(rows)


def _require_rotatable(old: ApiKey) -> None:
    if old.revoked_at is not None:
        raise errors.KeyEnded
    if old.replaced_by_id is not None:
        raise errors.AlreadyRotated
    if old.suspended_at is not None:
        raise errors.KeySuspended
    if not seals.is_intact(old):
        raise errors.KeyTampered


def _succeed(old: ApiKey, now: datetime) -> tuple[ApiKey, str]:
    successor = ApiKey(
        organization=old.organization,
        owner=old.owner,
        owner_label=old.owner_label,
        kind=old.kind,
        environment=old.environment,
        name=old.name,
        scopes=[name for name in old.scopes if name in scopes.CATALOGUE],
        allowed_networks=old.allowed_networks,
        family=old.family,
        generation=old.generation + 1,
        created_at=now,
        expires_at=rules.successor_expiry(created_at=old.created_at, expires_at=old.expires_at, now=now),
    )
    token = _issue(successor)
    attach_contacts(successor, [row.user for row in old.contact_rows.select_related("user")])
    return successor, token


def _retire(old: ApiKey, successor: ApiKey, *, overlap: timedelta, now: datetime) -> None:
    old.replaced_by = successor
    old.expires_at = rules.retirement(expires_at=old.expires_at, overlap=overlap, now=now)
    old.seal = seals.seal_of(old)
    old.save(update_fields=["replaced_by", "expires_at", "seal"])


def _end_now(keys: Iterable[ApiKey], now: datetime) -> None:
    for key in keys:
        if not seals.is_intact(key):
            raise errors.EarlierKeyTampered
        key.expires_at = now
        key.seal = seals.seal_of(key)
        key.save(update_fields=["expires_at", "seal"])


def _issue(key: ApiKey) -> str:
    """Stores the key under a fresh token and answers the token; refuses a form that was sent before."""
    token = tokens.new_token(kind=key.kind, environment=key.environment, key_id=key.key_id)
    key.hash = verification.hash_of(token)
    key.last4 = token[-4:]
    key.seal = seals.seal_of(key)
    try:
        with transaction.atomic():
            key.save(force_insert=True)
    except IntegrityError as error:
        if "credentials_apikey_form_nonce" in str(error):
            raise errors.AlreadyIssued from error
        raise
    return token


def _checked_name(name: str) -> str:
    cleaned = rules.clean_text(name, longest=rules.MAX_NAME)
    if cleaned is None:
        raise errors.InvalidKeyName
    return cleaned


def _checked_label(label: str) -> str:
    return _checked_name(label) if label.strip() else ""


def _checked_scopes(names: Sequence[str], by: Membership) -> list[str]:
    is_platform = by.organization.kind == Organization.Kind.PLATFORM
    allowed = {
        scope.name for scope in scopes.grantable(permissions=permissions_of(by.role), is_platform=is_platform)
    }
    if not names or not set(names) <= allowed:
        raise errors.InvalidScopes
    return sorted(set(names))


def _checked_expiry(expires_at: datetime | None, now: datetime) -> datetime:
    if expires_at is None:
        return now + rules.DEFAULT_LIFETIME
    if not rules.is_lifetime_allowed(expires_at, now=now):
        raise errors.InvalidExpiry
    return expires_at


def checked_networks(texts: Iterable[str]) -> list[str]:
    """``texts`` in canonical form; raises ``InvalidNetworks``."""
    try:
        networks = rules.canonical_networks(texts)
    except ValueError as error:
        raise errors.InvalidNetworks from error
    if len(networks) > rules.MAX_NETWORKS:
        raise errors.InvalidNetworks
    return networks


def _facts(key: ApiKey) -> dict[str, object]:
    return {
        "kind": str(key.kind),
        "environment": str(key.environment),
        "scopes": " ".join(key.scopes),
        "allowed_networks": " ".join(key.allowed_networks),
        "expires_at": key.expires_at.isoformat(),
    }

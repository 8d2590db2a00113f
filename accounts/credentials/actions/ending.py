"""How keys end: by hand, at once; or by time, exactly."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.credentials import access, emails, queries, seals, signals
from accounts.credentials.actions import errors, evidence
from accounts.credentials.events import KeyEvent
from accounts.credentials.models import ApiKey
from accounts.identity import access as people
from accounts.identity.models import User
from accounts.organizations.models import Membership
from kellexa_portal.core.actor import Actor, ActorType

BATCH = 500


def revoke_key(*, actor: Actor, key: ApiKey, reason: str, by: Membership | None = None) -> ApiKey:
    """Ends the key for good. No verification that starts after this commits accepts it.

    ``reason`` is one of ``ApiKey.RevokeReason``.
    ``by`` is the acting person's membership; only staff and the system act without one. A key whose
    record was altered can be revoked too: that it is altered stays visible in the audit log.
    """
    with transaction.atomic():
        _authorise(actor, by, key)
        code = _checked_reason(reason)
        locked = ApiKey.objects.for_change().get(pk=key.pk)
        if locked.revoked_at is not None:
            raise errors.AlreadyRevoked
        now = timezone.now()
        was_intact = seals.is_intact(locked)
        locked.revoked_at = now
        locked.revoked_by = _person(actor)
        locked.revoke_reason = code
        locked.seal = seals.seal_of(locked)
        locked.save(update_fields=["revoked_at", "revoked_by", "revoke_reason", "seal"])
        changes = {} if was_intact else {"record": "altered"}
        evidence.note(KeyEvent.REVOKED, actor=actor, key=locked, reason=code, changes=changes)
        for person in queries.addressees(locked, by=by):
            emails.key_revoked(key=locked, to=person, at=now, actor=actor)
        signals.key_revoked.send(sender=ApiKey, key=locked)
        return locked


def revoke_keys(*, actor: Actor, keys: Sequence[ApiKey], reason: str, by: Membership | None = None) -> int:
    """Ends several keys, all or none; answers how many. One that ended meanwhile is left as it is."""
    done = 0
    with transaction.atomic():
        for key in sorted(
            keys, key=lambda key: key.pk
        ):  # one order, so that two requests never wait in a ring
            with contextlib.suppress(errors.AlreadyRevoked):
                revoke_key(actor=actor, key=key, reason=reason, by=by)
                done += 1
    return done


def expire_due(*, actor: Actor, now: datetime | None = None) -> int:
    """Puts the end of each key whose time has come on record, exactly once; answers how many.

    Verification refuses an expired key by the clock alone, so nothing waits for this sweep. A ``now``
    ahead of the clock counts as the clock: evidence is never written of what has not happened yet.
    """
    total = 0
    while True:
        clock = timezone.now()
        done = _expire_batch(actor=actor, now=min(now or clock, clock))
        total += done
        if done < BATCH:
            return total


def _expire_batch(*, actor: Actor, now: datetime) -> int:
    with transaction.atomic():
        due = list(
            ApiKey.objects.expired_unrecorded(now)
            .select_for_update(of=("self",), skip_locked=True)
            .select_related("organization", "owner")
            .order_by("expires_at")[:BATCH]
        )
        for key in due:
            key.expiry_recorded_at = now
            key.save(update_fields=["expiry_recorded_at"])
            evidence.note(
                KeyEvent.EXPIRED,
                actor=actor,
                key=key,
                changes={
                    "expired_at": key.expires_at.isoformat(),
                    "has_successor": key.replaced_by_id is not None,
                },
            )
            signals.key_expired.send(sender=ApiKey, key=key)
        return len(due)


def _authorise(actor: Actor, by: Membership | None, key: ApiKey) -> None:
    if by is None:
        if actor.type is ActorType.STAFF:
            people.require_staff(actor, access.STAFF_REVOKE)
        elif actor.type is not ActorType.SYSTEM:
            raise errors.KeyNotFound
        return
    if key.organization_id != by.organization_id:
        raise errors.KeyNotFound
    require_revoker(actor=actor, by=by, key=key)


def require_revoker(*, actor: Actor, by: Membership, key: ApiKey) -> None:
    """Refuses, on record, a person who may not end ``key``, before their form is even read."""
    if not access.may_revoke(by, key):
        raise evidence.refuse(actor=actor, by=by, target=evidence.target_of(key), attempt="revoke")


def _checked_reason(reason: str) -> str:
    if reason not in ApiKey.RevokeReason.values:
        raise errors.InvalidReason
    return str(ApiKey.RevokeReason(reason))


def _person(actor: Actor) -> User | None:
    if actor.type not in {ActorType.PERSON, ActorType.STAFF}:
        return None
    return User.objects.filter(public_id=actor.id).first()

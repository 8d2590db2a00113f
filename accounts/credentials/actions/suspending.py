"""Keys stopped for the time being, and brought back: reversible, unlike a revocation."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from accounts.credentials import emails, queries, seals
from accounts.credentials.actions import evidence
from accounts.credentials.events import KeyEvent
from accounts.credentials.models import ApiKey
from accounts.identity import access as people
from accounts.identity.models import User
from kellexa_portal.core.actor import Actor


def suspend_keys_of(*, actor: Actor, owner: User, cause: ApiKey.SuspendCause) -> list[ApiKey]:
    """Stops every key that ``owner`` owns and that still works, in whatever organization; answers them.

    No verification that starts after this commits accepts one. A key whose record was altered gets no fresh
    seal, so that it stays refused when it is brought back. For the portal itself, on behalf of the account;
    raises ``NotPermittedError`` for others.
    """
    people.require_system(actor)
    with transaction.atomic():
        now = timezone.now()
        keys = list(ApiKey.objects.for_change().live(now).filter(owner=owner).order_by("pk"))
        for key in keys:
            is_intact = seals.is_intact(key)
            key.suspended_at, key.suspend_cause = now, cause
            if is_intact:
                key.seal = seals.seal_of(key)
            key.save(update_fields=["suspended_at", "suspend_cause", "seal"])
            changes = {} if is_intact else {"record": "altered"}
            evidence.note(KeyEvent.SUSPENDED, actor=actor, key=key, reason=str(cause), changes=changes)
            for person in _others(key):
                emails.key_suspended(key=key, to=person, at=now)
        return keys


def resume_keys(*, actor: Actor, owner: User, key_ids: Collection[str]) -> list[ApiKey]:
    """Brings back those of ``key_ids`` that are ``owner``'s and suspended; answers the ones that work again.

    What was revoked or expired meanwhile, and what was altered outside the portal, stays as it is. For the
    owner in person; raises ``NotPermittedError`` for others.
    """
    people.require_oneself(actor, owner)
    with transaction.atomic():
        now = timezone.now()
        chosen = ApiKey.objects.for_change().suspended(now).filter(owner=owner, key_id__in=key_ids)
        keys = [key for key in chosen.order_by("pk") if seals.is_intact(key)]
        for key in keys:
            cause, key.suspended_at, key.suspend_cause = key.suspend_cause, None, ""
            key.seal = seals.seal_of(key)
            key.save(update_fields=["suspended_at", "suspend_cause", "seal"])
            evidence.note(KeyEvent.RESUMED, actor=actor, key=key, reason=cause)
            for person in _others(key):
                emails.key_resumed(key=key, to=person, at=now)
        return keys


def _others(key: ApiKey) -> list[User]:
    """Who hears of the key beside its owner, who hears of the lock-down itself."""
    return [person for person in queries.addressees(key) if person.pk != key.owner_id]

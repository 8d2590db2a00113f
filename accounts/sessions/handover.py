"""A secret on its way from the form that made it to the one page that shows it.

An answer to a POST that shows a secret is made again by the browser's reload and back buttons, behind a
question that nobody understands. So the form answers with a redirect, and the secret waits, sealed and for
minutes, until the same browser's next GET takes it: one DELETE, so that of two requests one gets it, and
whoever comes later is told that it is gone.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.identity import access
from accounts.identity.models import User
from accounts.sessions import rules
from accounts.sessions.models import HandOver
from kellexa_portal.core.actor import Actor


def give(*, user: User, holder: UUID, purpose: str, secret: str) -> None:
    """Keeps ``secret`` for the session or half sign-in with the public id ``holder``.

    ``purpose`` names the page that takes it, and its object; a second secret for it replaces the first.
    A caller that makes the secret in a transaction calls this in it, so that neither is without the other.
    """
    expires_at = timezone.now() + rules.HAND_OVER_LIFETIME
    row = HandOver(user=user, holder=holder, purpose=purpose, expires_at=expires_at)
    row.close(secret)
    HandOver.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["holder", "purpose"],
        update_fields=["public_id", "user", "sealed_secret", "expires_at"],
    )


def take(*, user: User, holder: UUID, purpose: str) -> str | None:
    """The secret, which is nowhere after this; ``None`` if it was taken, is too old or another's."""
    with transaction.atomic():
        rows = HandOver.objects.select_for_update(of=("self",)).select_related("user")
        row = rows.filter(user=user, holder=holder, purpose=purpose).first()
        if row is None:
            return None
        row.delete()
        return row.open() if timezone.now() < row.expires_at else None


def forget_expired(*, actor: Actor, now: datetime) -> int:
    """Removes what nobody came for."""
    access.require_system(actor)
    return HandOver.objects.filter(expires_at__lte=now).delete()[0]

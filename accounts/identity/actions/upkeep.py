"""Removes what is past its time."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from accounts.identity import signals
from accounts.identity.models import EmailChange, PasswordReset, PendingSignIn, SignUp
from kellexa_portal.core.actor import Actor

KEEP_EXPIRED_FOR = timedelta(days=1)


def purge_expired(*, actor: Actor) -> int:
    """Deletes expired sign-ups, resets, half sign-ins and Django sessions; returns how many rows.

    Announces itself first, so that what the apps above keep of a person goes in the same hour.

    Nothing depends on it: expiry is checked at use (case 40). A day's grace keeps the page that says "this
    link has expired" honest for a while. Only what is worthless goes, so it isn't an event.
    """
    now = timezone.now()
    signals.purging.send(sender=None, actor=actor, now=now)
    with transaction.atomic():
        counts = [
            SignUp.objects.filter(expires_at__lt=now - KEEP_EXPIRED_FOR).delete()[0],
            EmailChange.objects.filter(expires_at__lt=now - KEEP_EXPIRED_FOR, undo_until=None).delete()[0],
            EmailChange.objects.filter(undo_until__lt=now - KEEP_EXPIRED_FOR).delete()[0],
            PasswordReset.objects.filter(expires_at__lt=now - KEEP_EXPIRED_FOR).delete()[0],
            PendingSignIn.objects.filter(expires_at__lt=now).delete()[0],
            Session.objects.filter(expire_date__lt=now).delete()[0],
        ]
    return sum(counts)

"""What happens to a recovery afterwards: the person's return is noted, and old cases are forgotten."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from accounts.identity import access, quarantine
from accounts.identity.models import User
from accounts.recovery import rules
from accounts.recovery.actions.evidence import PORTAL
from accounts.recovery.models import CancelLink, RecoveryCase
from kellexa_portal.core.actor import Actor


def note_return(*, user: User) -> bool:
    """Begins the quarantine anew at the first sign-in after a recovery; whether this was the one.

    Counted from the link alone it could be sat out: the thief would sign in a day later, and be free.
    """
    waiting = RecoveryCase.objects.filter(user=user, state=RecoveryCase.State.USED, returned_at=None)
    if not waiting.update(returned_at=timezone.now()):
        return False
    quarantine.begin(user, actor=PORTAL, reason="recovery")
    return True


def forget_old(*, actor: Actor, now: datetime) -> int:
    """Removes links of cases that ended and, much later, the cases with their notes on people."""
    access.require_system(actor)
    links = CancelLink.objects.filter(case__ended_at__lt=now - rules.KEEP_LINKS_FOR).delete()[0]
    return links + RecoveryCase.objects.filter(ended_at__lt=now - rules.KEEP_CASES_FOR).delete()[0]

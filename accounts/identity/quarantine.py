"""A quarantine: a while in which a person works on but moves nothing that a thief would want to move.

Begun by the portal, after a sign-in by a recovery code or a chain of changes that looks like a takeover.
Each action that it closes asks ``require_free`` at its start.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identity import access
from accounts.identity.events import IdentityEvent
from accounts.identity.models import User
from accounts.identity.rules import zone_named
from kellexa_portal.audit import Outcome, Stream, Target, record, record_independently
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault
from kellexa_portal.mail.facts import moment

HOURS = 24


class QuarantinedError(DomainError):
    """The account is in quarantine; ``params["until"]`` says until when, in the person's zone."""

    code = "account.quarantined"
    fault = Fault.FORBIDDEN
    message = _(
        "Your account is in quarantine until %(until)s. Until then you can’t make or rotate API keys, change "
        "your address, hand over an organization or export. If somebody else signed in or changed something "
        "in your name, lock your account down."
    )


def begin(user: User, *, actor: Actor, hours: int = HOURS, reason: str) -> datetime:
    """Puts ``user`` into quarantine for ``hours`` from now, never shorter than it lasts already.

    Answers until when. ``reason`` is a short code for the record. For the portal alone; raises
    ``NotPermittedError`` for others. Joins the transaction of its cause.
    """
    access.require_system(actor)
    with transaction.atomic():
        row = User.objects.select_for_update(no_key=True).only("quarantined_until").get(pk=user.pk)
        until = timezone.now() + timedelta(hours=hours)
        if row.quarantined_until is not None:
            until = max(until, row.quarantined_until)
        User.objects.filter(pk=user.pk).update(quarantined_until=until)
        user.quarantined_until = until
        record(
            IdentityEvent.QUARANTINED,
            actor=actor,
            stream=Stream.user(user.public_id),
            target=Target("user", str(user.public_id)),
            reason=reason,
            changes={"until": until.isoformat()},
        )
    return until


def is_quarantined(user: User, now: datetime) -> bool:
    """Whether ``user``, as loaded, is in quarantine at ``now``. The instant at which it ends is free."""
    return user.quarantined_until is not None and now < user.quarantined_until


def require_free(user: User) -> None:
    """Raises ``QuarantinedError``, on record, while ``user`` is in quarantine; asks the database anew."""
    until = User.objects.values_list("quarantined_until", flat=True).get(pk=user.pk)
    if until is None or timezone.now() >= until:
        return
    record_independently(
        IdentityEvent.QUARANTINE_REFUSED,
        actor=Actor.of(user),
        stream=Stream.user(user.public_id),
        target=Target("user", str(user.public_id)),
        outcome=Outcome.DENIED,
        reason=QuarantinedError.code,
    )
    raise QuarantinedError(until=moment(until, zone_named(user.time_zone)))

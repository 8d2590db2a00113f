"""Plans reminders, sends them, and changes the policy behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identity.models import User
from accounts.organizations.access import Permission
from accounts.organizations.actions import authorise
from accounts.organizations.models import Membership
from accounts.rotation import planning, queries, rules
from accounts.rotation.emails import send_rotation_digest
from accounts.rotation.events import RotationEvent
from accounts.rotation.kinds import kinds
from accounts.rotation.models import Digest, Reminder, RotationPolicy
from kellexa_portal.audit import Stream, Target, record
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault

ROWS_A_DIGEST = 500


class UnknownMaxAge(DomainError):
    """The greatest age is not one of those offered."""

    code = "unknown_max_age"
    fault = Fault.INVALID
    message = _("Choose one of the offered ages.")


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one sweep did, for the log and the command."""

    planned: int
    dropped: int
    mails: int


def sweep(*, actor: Actor, now: datetime | None = None) -> Sweep:
    """Makes the plan right and sends what is due; each step commits by itself.

    Killed anywhere, it loses nothing and doubles nothing: plan rows are unique, and a mail is deferred in
    the transaction that marks its reminders as sent.
    """
    now = now or timezone.now()
    planned = dropped = 0
    for kind in kinds():
        planned += planning.plan(kind, now=now)
        dropped += planning.drop_stale(kind, now=now)
    mails = sum(
        send_urgent(actor=actor, user_id=user_id, now=now) for user_id in queries.recipients_with_urgent()
    )
    mails += sum(
        send_daily(actor=actor, user_id=user_id, now=now) for user_id in queries.recipients_with_planned()
    )
    return Sweep(planned=planned, dropped=dropped, mails=mails)


@transaction.atomic
def send_urgent(*, actor: Actor, user_id: int, now: datetime) -> bool:
    """Tells one person at once of what ends within 24 hours; whether a mail was deferred."""
    recipient = User.objects.get(pk=user_id)
    reminders = _lock_planned(recipient, stages=rules.URGENT_STAGES)
    local_date = rules.moment_in(recipient.time_zone, now).date
    return _send(
        actor=actor,
        recipient=recipient,
        reminders=reminders,
        now=now,
        make_digest=lambda: Digest.objects.create(
            recipient=recipient, kind=Digest.Kind.URGENT, local_date=local_date
        ),
    )


@transaction.atomic
def send_daily(*, actor: Actor, user_id: int, now: datetime) -> bool:
    """Tells one person of everything planned, from 09:00 on their weekday, once that day.

    The unique digest of the day is what makes two workers, a rerun or a clock set back send one mail:
    whoever comes second finds the row and stops.
    """
    recipient = User.objects.get(pk=user_id)
    moment = rules.moment_in(recipient.time_zone, now)
    if not rules.is_digest_time(moment):
        return False
    if Digest.objects.filter(recipient=recipient, kind=Digest.Kind.DAILY, local_date=moment.date).exists():
        return False
    reminders = _lock_planned(recipient)
    return _send(
        actor=actor,
        recipient=recipient,
        reminders=reminders,
        now=now,
        make_digest=lambda: _digest_of_the_day(recipient, moment),
    )


def _digest_of_the_day(recipient: User, moment: rules.LocalMoment) -> Digest | None:
    digest = Digest(recipient=recipient, kind=Digest.Kind.DAILY, local_date=moment.date)
    Digest.objects.bulk_create([digest], ignore_conflicts=True)
    return Digest.objects.filter(public_id=digest.public_id).first()


def _lock_planned(recipient: User, *, stages: Sequence[int] | None = None) -> list[Reminder]:
    rows = Reminder.objects.filter(recipient=recipient, state=Reminder.State.PLANNED)
    if stages is not None:
        rows = rows.filter(stage__in=stages)
    rows = rows.select_related("organization").select_for_update(of=("self",), skip_locked=True)
    return list(rows.order_by("due_at", "pk")[:ROWS_A_DIGEST])


def _send(
    *,
    actor: Actor,
    recipient: User,
    reminders: Sequence[Reminder],
    now: datetime,
    make_digest: Callable[[], Digest | None],
) -> bool:
    told = queries.entries_of(reminders, now=now)
    _drop_untold(reminders, told=[reminder for reminder, _entry in told])
    if not told:
        return False
    digest = make_digest()
    if digest is None:
        return False
    sent = [reminder for reminder, _entry in told]
    Reminder.objects.filter(pk__in=[reminder.pk for reminder in sent]).update(
        state=Reminder.State.SENT, digest=digest
    )
    for reminder in sent:
        _record_sent(actor=actor, reminder=reminder, recipient=recipient)
    send_rotation_digest(digest=digest, recipient=recipient, entries=[entry for _reminder, entry in told])
    return True


def _drop_untold(reminders: Sequence[Reminder], *, told: Sequence[Reminder]) -> None:
    """Drops what was rotated or revoked after the plan was made; the plan takes up again what it needs."""
    kept = {reminder.pk for reminder in told}
    untold = [reminder.pk for reminder in reminders if reminder.pk not in kept]
    if untold:
        Reminder.objects.filter(pk__in=untold).update(state=Reminder.State.DROPPED)


def _record_sent(*, actor: Actor, reminder: Reminder, recipient: User) -> None:
    record(
        RotationEvent.REMINDER_SENT,
        actor=actor,
        stream=Stream.organization(reminder.organization.public_id),
        target=Target(reminder.subject_kind, reminder.subject_id),
        changes={
            "stage": reminder.stage,
            "due_at": reminder.due_at.isoformat(),
            "recipient": str(recipient.public_id),
        },
    )


@transaction.atomic
def change_policy(
    *, actor: Actor, membership: Membership, max_age_days: int, stages: Sequence[int]
) -> RotationPolicy:
    """Sets how old credentials may grow and when people are told; the last days are always told.

    Raises ``Forbidden``, on record, without the permission, and ``UnknownMaxAge`` for an age that is not
    offered.
    """
    authorise(actor=actor, by=membership, permission=Permission.POLICY_CHANGE)
    if max_age_days not in rules.MAX_AGE_CHOICES:
        raise UnknownMaxAge
    RotationPolicy.objects.get_or_create(organization=membership.organization)
    policy = RotationPolicy.objects.select_for_update().get(organization=membership.organization)
    before = {"max_age_days": policy.max_age_days, "stages": policy.stages}
    policy.max_age_days = max_age_days
    policy.stages = rules.stages_with_mandatory(stages)
    policy.updated_at = timezone.now()
    policy.save(update_fields=["max_age_days", "stages", "updated_at"])
    after = {"max_age_days": policy.max_age_days, "stages": policy.stages}
    record(
        RotationEvent.POLICY_CHANGED,
        actor=actor,
        stream=Stream.organization(membership.organization.public_id),
        target=Target("organization", str(membership.organization.public_id)),
        changes={"before": before, "after": after},
    )
    return policy

"""What an organization asks of its people's sign-in, and the reminders before it holds."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.organizations import compliance, emails, queries, rules, signals
from accounts.organizations.access import Permission
from accounts.organizations.actions import evidence
from accounts.organizations.actions.errors import InvalidGrace, NotCompliantYourself, UnknownRequirement
from accounts.organizations.events import OrganizationEvent
from accounts.organizations.models import Membership, MfaPolicy, MfaReminder
from kellexa_portal.audit import record
from kellexa_portal.core.actor import Actor


def change_mfa_policy(*, actor: Actor, by: Membership, requirement: str, grace_days: int) -> MfaPolicy:
    """Sets what is asked and how long people have; a shorter grace holds for everyone at once.

    Raises ``Forbidden``, on record, without the permission, ``UnknownRequirement``, ``InvalidGrace`` and,
    for a person who asks of others what they don't have, ``NotCompliantYourself``.
    """
    with transaction.atomic():
        place = evidence.lock_and_authorise(actor=actor, by=by, permission=Permission.POLICY_CHANGE)
        if requirement not in MfaPolicy.Requirement.values:
            raise UnknownRequirement
        if not 0 <= grace_days <= rules.MAX_GRACE_DAYS:
            raise InvalidGrace
        if requirement == MfaPolicy.Requirement.PHISHING_RESISTANT:
            _require_compliance(place)
        policy = queries.mfa_policy_of(place.organization)
        before = {"requirement": policy.requirement, "grace_days": policy.grace_days}
        now = timezone.now()
        if policy.requirement != requirement:
            policy.requirement, policy.set_at = MfaPolicy.Requirement(requirement), now
        policy.grace_days, policy.updated_at = grace_days, now
        policy.save()
        record(
            OrganizationEvent.MFA_POLICY_CHANGED,
            actor=actor,
            stream=evidence.stream_of(place.organization),
            target=evidence.target_of(place.organization),
            changes={
                "before": before,
                "after": {"requirement": policy.requirement, "grace_days": policy.grace_days},
            },
        )
        emails.mfa_policy_changed(
            policy=policy, to=queries.owners_and(place.organization, place.user), actor=actor, at=now
        )
        if policy.asks_for_passkey and before["requirement"] != requirement:
            members = place.organization.memberships.select_related("user")
            signals.passkey_asked.send(
                sender=MfaPolicy,
                organization=place.organization,
                users=[member.user for member in members],
            )
        return policy


def _require_compliance(place: Membership) -> None:
    if place.user_id not in compliance.phishing_resistant_among([place.user_id]):
        raise NotCompliantYourself


def remind_due(*, actor: Actor, now: datetime | None = None) -> int:
    """Tells each person whom a policy will close out, once a stage; answers how many mails were deferred.

    Each reminder commits by itself with its mail, and its row is unique: a rerun, a second worker or a
    clock set back tells nobody twice.
    """
    now = now or timezone.now()
    waiting = list(queries.untold_of_mfa_policy(now))
    complying = compliance.phishing_resistant_among({membership.user_id for membership in waiting})
    return sum(
        _remind(actor, membership, now=now) for membership in waiting if membership.user_id not in complying
    )


def _remind(actor: Actor, membership: Membership, *, now: datetime) -> bool:
    due = queries.mfa_policy_of(membership.organization).due_at(membership)
    stage = rules.stage_at(due_at=due, now=now) if due else None
    if due is None or stage is None:
        return False
    with transaction.atomic():
        reminder, is_new = MfaReminder.objects.get_or_create(membership=membership, due_at=due, stage=stage)
        if not is_new:
            return False
        evidence.note_member(
            OrganizationEvent.MFA_REMINDER_SENT,
            actor=actor,
            membership=membership,
            changes={"stage": stage, "due_at": due.isoformat()},
        )
        emails.passkey_due(reminder=reminder, membership=membership)
        return True

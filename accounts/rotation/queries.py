"""Reads of rotation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.organizations.models import Organization
from accounts.rotation import rules
from accounts.rotation.kinds import Credential, kind_named
from accounts.rotation.models import Reminder, RotationPolicy
from kellexa_portal.mail.facts import Facts, moment


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a digest: the credential, whose it is, and how long is left."""

    credential: Credential
    organization: str
    kind: str
    due_at: datetime
    now: datetime

    @property
    def is_overdue(self) -> bool:
        return self.due_at <= self.now

    @property
    def days(self) -> int:
        """Whole days between now and the due instant, on either side of it."""
        return abs(self.due_at - self.now).days

    @property
    def hours(self) -> int:
        """Hours between now and the due instant, rounded, at least one."""
        return max(1, round(abs(self.due_at - self.now) / timedelta(hours=1)))

    @property
    def time_left(self) -> str:
        """How long is left, or how long ago it ended, in whole days or hours."""
        days, hours = self.days, self.hours
        if self.is_overdue:
            if days:
                return ngettext("%(n)d day ago", "%(n)d days ago", days) % {"n": days}
            return _("today")
        if days:
            return ngettext("in %(n)d day", "in %(n)d days", days) % {"n": days}
        return ngettext("in %(n)d hour", "in %(n)d hours", hours) % {"n": hours}

    @property
    def facts(self) -> Facts:
        """The same facts in the text and in the HTML part."""
        used = self.credential.last_used_at
        return [
            (_("Kind"), f"{self.kind}, {self.credential.detail}"),
            (_("Key"), self.credential.masked),
            (_("Organization"), self.organization),
            (_("Due"), moment(self.due_at)),
            (_("Last used"), moment(used) if used else _("never")),
        ]


def policy_of(organization: Organization) -> RotationPolicy:
    """The organization's policy; one that was never saved holds the defaults."""
    found = RotationPolicy.objects.filter(organization=organization).first()
    return found or RotationPolicy(organization=organization)


def max_age_of(organization: Organization) -> timedelta:
    """How old the organization lets its credentials grow."""
    return timedelta(days=policy_of(organization).max_age_days)


def recipients_with_urgent() -> list[int]:
    """The people who are to be told at once, by primary key."""
    return _recipients(_planned().filter(stage__in=rules.URGENT_STAGES))


def recipients_with_planned() -> list[int]:
    """The people for whom anything is planned, by primary key."""
    return _recipients(_planned())


def _planned() -> QuerySet[Reminder]:
    return Reminder.objects.filter(state=Reminder.State.PLANNED)


def _recipients(reminders: QuerySet[Reminder]) -> list[int]:
    return list(reminders.values_list("recipient", flat=True).order_by("recipient").distinct())


def entries_of(reminders: Sequence[Reminder], *, now: datetime) -> list[tuple[Reminder, Entry]]:
    """What a digest says of each reminder; one whose credential is not to be rotated any more is left out."""
    credentials = _credentials_of(reminders, now=now)
    return [
        (
            reminder,
            Entry(
                credential=credentials[reminder.subject_kind, reminder.subject_id],
                organization=reminder.organization.name,
                kind=str(kind.label),
                due_at=reminder.due_at,
                now=now,
            ),
        )
        for reminder in reminders
        if (kind := kind_named(reminder.subject_kind))
        and (reminder.subject_kind, reminder.subject_id) in credentials
    ]


def _credentials_of(reminders: Sequence[Reminder], *, now: datetime) -> dict[tuple[str, str], Credential]:
    ids: dict[str, set[str]] = defaultdict(set)
    for reminder in reminders:
        ids[reminder.subject_kind].add(reminder.subject_id)
    found: dict[tuple[str, str], Credential] = {}
    for name, subject_ids in ids.items():
        kind = kind_named(name)
        described = kind.describe(subject_ids, now) if kind else {}
        found.update({(name, subject_id): credential for subject_id, credential in described.items()})
    return found

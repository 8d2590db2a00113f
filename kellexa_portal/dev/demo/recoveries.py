"""One recovery under way, so that staff and the person see what it looks like."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F

from accounts.identity.models import StaffAssignment, User
from accounts.organizations.models import Membership
from accounts.recovery.actions import asking
from accounts.recovery.models import RecoveryCase
from kellexa_portal.core.actor import Actor
from kellexa_portal.dev.demo import cast

LOST = cast.email_of(Membership.Role.AUDITOR, "Globex")
EVIDENCE = (
    "Called back at the number in the contract; knew the last two invoices. The owner of Globex confirmed by "
    "phone that the auditor's telephone fell into a lake. (demo)"
)
AGO = timedelta(hours=20)
Role = StaffAssignment.Role


def ensure_recovery() -> None:
    """An account of Globex waits for its recovery, approved twice the day before."""
    lost = User.objects.with_email(LOST).get()
    if RecoveryCase.objects.filter(user=lost).exists():
        return
    case = asking.start(actor=_staff(Role.INCIDENT_COMMANDER), user=lost, evidence=EVIDENCE)
    for role in (Role.ADMINISTRATOR, Role.DPO):
        asking.approve(actor=_staff(role), case=case)
    RecoveryCase.objects.filter(pk=case.pk).update(
        started_at=F("started_at") - AGO,
        first_approved_at=F("first_approved_at") - AGO,
        second_approved_at=F("second_approved_at") - AGO,
        waits_until=F("waits_until") - AGO,
    )


def _staff(role: StaffAssignment.Role) -> Actor:
    return Actor.of(User.objects.with_email(cast.staff_email_of(role)).get())

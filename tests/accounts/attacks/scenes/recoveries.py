"""The recovery of an account by staff: each step, each way it ends, each refusal."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client

from accounts.recovery.events import RecoveryEvent
from accounts.recovery.models import RecoveryCase
from kellexa_portal.audit import Outcome
from tests.accounts.attacks.scenes import Act, emits
from tests.accounts.recovery.steps import (
    EVIDENCE,
    PAGE,
    START,
    WAIT,
    Staff,
    approve_page,
    approved_twice,
    approving,
    at_work,
    link_in,
    refuse_page,
    started,
    swept,
)
from tests.factories import accounts
from tests.factories.recovery import aged, ready_case
from tests.factories.sign_in import new_person


def _team() -> Staff:
    return Staff(accounts.staff(), accounts.staff(), accounts.staff())


def _waiting() -> RecoveryCase:
    team = _team()
    return approved_twice(team, started(team, new_person()))


@emits(RecoveryEvent.STARTED)
def asking_for_a_recovery() -> Act:
    client, lost = at_work(accounts.staff()), new_person()
    return lambda: client.post(START, {"email": lost.email, "evidence": EVIDENCE})


@emits(RecoveryEvent.APPROVED)
def approving_a_recovery() -> Act:
    team = _team()
    case = started(team, new_person())
    client = approving(team.first, case)
    return lambda: [client.post(approve_page(case)) for _ in range(2)]


@emits(RecoveryEvent.DENIED, Outcome.DENIED)
def approving_what_one_asked_for() -> Act:
    team = _team()
    case = started(team, new_person())
    client = approving(team.starter, case)
    return lambda: client.post(approve_page(case))


@emits(RecoveryEvent.REFUSED)
def refusing_a_recovery() -> Act:
    team = _team()
    case = started(team, new_person())
    client = at_work(team.first)
    return lambda: [client.post(refuse_page(case)) for _ in range(2)]


@emits(RecoveryEvent.CANCELLED)
def cancelling_by_mail() -> Act:
    case = _waiting()
    path = link_in(case.user.email, "recovery.started")
    return lambda: [Client().post(path) for _ in range(2)]


@emits(RecoveryEvent.CANCELLED)
def cancelling_while_signed_in() -> Act:
    case = _waiting()
    client = at_work(case.user)
    return lambda: [client.post(PAGE) for _ in range(2)]


@emits(RecoveryEvent.READY)
def the_end_of_the_wait() -> Act:
    aged(_waiting(), WAIT)
    return lambda: [swept() for _ in range(2)]


@emits(RecoveryEvent.EXPIRED)
def a_link_that_nobody_used() -> Act:
    aged(ready_case(new_person())[0], WAIT)
    return lambda: [swept() for _ in range(2)]


@emits(RecoveryEvent.EXPIRED)
def a_case_that_nobody_approved() -> Act:
    aged(started(_team(), new_person()), timedelta(days=7))
    return lambda: [swept() for _ in range(2)]


@emits(RecoveryEvent.COMPLETED)
def completing_a_recovery() -> Act:
    _case, token, _cancel = ready_case(new_person())
    return lambda: [Client().post(f"{PAGE}finish/{token}/") for _ in range(2)]


@emits(RecoveryEvent.LINK_REFUSED, Outcome.DENIED)
def pressing_a_made_up_link_of_a_recovery() -> Act:
    return lambda: [Client().post(f"{PAGE}finish/{'x' * 43}/") for _ in range(2)]

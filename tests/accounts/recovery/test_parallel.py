"""Steps taken at the same moment, on real connections."""

from __future__ import annotations

import pytest
import time_machine
from django.db import transaction
from django.test import Client

from accounts.identity.models import User
from accounts.mfa.models import TotpDevice
from accounts.recovery.actions import asking
from accounts.recovery.models import RecoveryCase
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError
from tests.accounts.identity.mailbox import kinds_to
from tests.accounts.recovery.steps import (
    WAIT,
    Staff,
    approve_page,
    approving,
    link_in,
    now_of,
    started,
    swept,
)
from tests.factories import accounts
from tests.factories.audit_support import recorded
from tests.support.parallel import at_once

pytestmark = pytest.mark.django_db(transaction=True)

State = RecoveryCase.State


def _approves(person: User, case: RecoveryCase) -> bool:
    try:
        asking.approve(actor=Actor.of(person), case=case)
    except DomainError:
        return False
    return True


def test_two_approvals_at_once_are_both_counted(case: RecoveryCase, team: Staff, ada: User) -> None:
    people = [team.first, team.second]

    approved = at_once(2, lambda index: _approves(people[index], case))

    assert approved == [True, True]
    assert (now_of(case).state, now_of(case).approvals) == (State.WAITING, 2)
    assert kinds_to(ada.email).count("recovery.approved") == 2


def test_one_approver_at_once_in_four_tabs_is_one_approval(case: RecoveryCase, team: Staff) -> None:
    browsers = [approving(team.first, case) for _tab in range(4)]

    at_once(4, lambda index: browsers[index].post(approve_page(case)).status_code)

    assert (now_of(case).state, now_of(case).approvals) == (State.OPEN, 1)


def test_of_five_approvals_at_once_two_count(case: RecoveryCase, ada: User) -> None:
    people = [accounts.staff("administrator") for _number in range(5)]

    approved = at_once(5, lambda index: _approves(people[index], case))

    assert sum(approved) == 2
    assert recorded(Stream.user(ada.public_id)).count("account.recovery.approve") == 2


def test_asking_at_once_opens_one_case(ada: User, team: Staff) -> None:
    def ask(_index: int) -> int:
        try:
            started(team, ada)
        except DomainError:
            return 0
        return 1

    assert sum(at_once(4, ask)) == 1
    assert kinds_to(ada.email).count("recovery.started") == 1


def test_sweeps_at_once_mail_one_link(
    waiting: RecoveryCase, ada: User, clock: time_machine.Traveller
) -> None:
    clock.shift(WAIT)

    moved = at_once(4, lambda _index: swept())

    assert sum(moved) == 1
    assert kinds_to(ada.email).count("recovery.way_back") == 1
    assert kinds_to(ada.email).count("recovery.ready") == 1


def test_a_sweep_leaves_to_others_what_they_hold(
    waiting: RecoveryCase, ada: User, clock: time_machine.Traveller
) -> None:
    clock.shift(WAIT)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=ada.pk)
        assert at_once(1, lambda _index: swept()) == [0]

    assert swept() == 1


def test_the_link_pressed_ten_times_at_once_recovers_once(
    waiting: RecoveryCase, ada: User, clock: time_machine.Traveller
) -> None:
    clock.shift(WAIT)
    swept()
    path = link_in(ada.email, "recovery.way_back")

    statuses = at_once(10, lambda _index: Client().post(path).status_code)

    assert sorted(statuses) == [303] + [404] * 9
    assert recorded(Stream.user(ada.public_id)).count("account.recovery.complete") == 1
    assert kinds_to(ada.email).count("recovery.new_password") == 1


def test_cancelling_and_completing_at_once_is_one_of_both(
    waiting: RecoveryCase, ada: User, clock: time_machine.Traveller
) -> None:
    clock.shift(WAIT)
    swept()
    paths = [link_in(ada.email, "recovery.way_back"), link_in(ada.email, "recovery.ready")]

    at_once(2, lambda index: Client().post(paths[index]).status_code)

    has_factor = TotpDevice.objects.filter(user=ada).exists()
    assert (now_of(waiting).state, has_factor) in {(State.USED, False), (State.CANCELLED, True)}

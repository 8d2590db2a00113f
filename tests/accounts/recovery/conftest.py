"""A customer who has lost everything, three of the staff, and a moment that stands still."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from accounts.identity.models import User
from accounts.recovery.models import RecoveryCase
from tests.accounts.recovery.steps import NOON, Staff, approved_twice, started
from tests.factories import accounts
from tests.factories.sign_in import enrolled, new_person, with_recovery_codes


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Noon, until the test moves on."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def ada(db: None) -> User:
    """A customer with an app and recovery codes, all of them at the bottom of a lake."""
    person = new_person()
    enrolled(person)
    with_recovery_codes(person)
    return person


@pytest.fixture
def team(db: None) -> Staff:
    return Staff(
        starter=accounts.staff("incident_commander", name="Iris Commander"),
        first=accounts.staff("administrator", name="Adam Administrator"),
        second=accounts.staff("dpo", name="Dora Officer"),
    )


@pytest.fixture
def case(clock: time_machine.Traveller, ada: User, team: Staff) -> RecoveryCase:
    """Asked for at noon, not approved."""
    return started(team, ada)


@pytest.fixture
def waiting(case: RecoveryCase, team: Staff) -> RecoveryCase:
    """Approved twice at noon."""
    return approved_twice(team, case)

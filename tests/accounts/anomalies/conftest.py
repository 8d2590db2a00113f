"""Noon, stood still; and people whose pasts can be written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from accounts.identity.models import User
from tests.accounts.anomalies.past import NOON
from tests.factories.sign_in import new_person


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def ada(clock: time_machine.Traveller) -> User:
    return new_person()


@pytest.fixture
def bob(clock: time_machine.Traveller) -> User:
    return new_person("bob@example.com")

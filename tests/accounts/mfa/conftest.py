"""A person with an authenticator app, at a moment that stands still."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from accounts.identity.models import User
from accounts.mfa.models import TotpDevice
from tests.factories.sign_in import enrolled, new_person

NOON = "2026-11-23T12:00:07Z"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Noon, until the test moves on."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def ada() -> User:
    """A confirmed person with a password and no second factor yet."""
    return new_person()


@pytest.fixture
def device(ada: User) -> TotpDevice:
    """Ada's authenticator app."""
    return enrolled(ada)

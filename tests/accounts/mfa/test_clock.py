"""An app's clock read anew by two codes in a row, through HTTP, at a moment that the test moves."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.identity.models import PendingSignIn, User
from accounts.identity.rules import PENDING_TRIES
from accounts.mfa import rules
from accounts.mfa.models import Resync, TotpDevice
from kellexa_portal.mail.models import OutboxMail
from tests.accounts.mfa.second_step import OVERVIEW, VERIFY, event_names, is_signed_in, wrong_code
from tests.factories.sign_in import enrolled, new_person, oathtool, prove_password, sign_in

AT_SIGN_IN = "/accounts/login/verify/clock/"
SIGNED_IN = "/accounts/mfa/authenticator/clock/"
STEP = timedelta(seconds=rules.STEP_SECONDS)

pytestmark = pytest.mark.django_db
Clock = time_machine.Traveller


def _type(client: Client, device: TotpDevice, *, ahead: int, at: str = AT_SIGN_IN) -> int:
    """Types the code of a device whose clock is ``ahead`` steps off; answers the status."""
    return client.post(at, {"code": oathtool(device.open_seed(), ahead=ahead)}).status_code


def _pass(clock: Clock, steps: int = 1) -> None:
    clock.shift(steps * STEP)


@pytest.mark.parametrize("ahead", [-rules.MAX_DRIFT_STEPS, -1, 0, 4, rules.MAX_DRIFT_STEPS])
def test_two_codes_in_a_row_sign_in_and_set_the_clock(
    client: Client, ada: User, device: TotpDevice, clock: Clock, ahead: int
) -> None:
    prove_password(client, ada)

    assert _type(client, device, ahead=ahead) == 303
    assert not is_signed_in(client)
    _pass(clock)
    assert _type(client, device, ahead=ahead) == 303

    assert is_signed_in(client)
    device.refresh_from_db()
    assert device.drift == ahead
    assert device.last_step == rules.step_at(device.last_used_at, drift=ahead)
    assert event_names(ada) == ["auth.mfa.resync", "auth.login.succeed"]


@pytest.mark.parametrize("ahead", [-rules.MAX_DRIFT_STEPS - 1, rules.MAX_DRIFT_STEPS + 1])
def test_a_clock_too_far_off_is_not_followed(
    client: Client, ada: User, device: TotpDevice, clock: Clock, ahead: int
) -> None:
    prove_password(client, ada)

    first = _type(client, device, ahead=ahead)
    _pass(clock)
    second = _type(client, device, ahead=ahead)

    assert (first, second) == (422, 422)
    assert not Resync.objects.exists()


def test_afterwards_single_codes_are_taken_again_and_those_of_the_true_clock_are_not(
    client: Client, ada: User, device: TotpDevice, clock: Clock
) -> None:
    prove_password(client, ada)
    _type(client, device, ahead=3)
    _pass(clock)
    _type(client, device, ahead=3)
    _pass(clock, 5)

    later = Client()
    prove_password(later, ada)
    assert _type(later, device, ahead=0, at=VERIFY) == 422
    assert _type(later, device, ahead=3, at=VERIFY) == 303


def test_neither_code_of_the_pair_opens_anything_again(
    client: Client, ada: User, device: TotpDevice, clock: Clock
) -> None:
    codes = [oathtool(device.open_seed(), ahead=ahead) for ahead in (2, 3)]
    prove_password(client, ada)
    for code in codes:
        client.post(AT_SIGN_IN, {"code": code})
        _pass(clock)

    other = Client()
    prove_password(other, ada)
    statuses = [other.post(AT_SIGN_IN, {"code": code}).status_code for code in codes]

    assert statuses == [422, 422]
    assert event_names(ada).count("auth.mfa.replay") == 2


def test_one_code_alone_signs_nobody_in_and_is_not_burned(
    client: Client, ada: User, device: TotpDevice, clock: Clock
) -> None:
    prove_password(client, ada)

    _type(client, device, ahead=0)

    assert not is_signed_in(client)
    assert _type(client, device, ahead=0, at=VERIFY) == 303


@pytest.mark.parametrize("passed", [0, 2, 3])
def test_codes_that_are_not_in_a_row_are_refused(
    client: Client, ada: User, device: TotpDevice, clock: Clock, passed: int
) -> None:
    prove_password(client, ada)
    _type(client, device, ahead=2)
    _pass(clock, passed)

    response = client.post(AT_SIGN_IN, {"code": oathtool(device.open_seed(), ahead=2)})

    assert response.status_code == 422
    assert b"not the code right after the first" in response.content
    assert not is_signed_in(client)


def test_a_code_typed_late_is_taken_as_the_first_of_the_next_pair(
    client: Client, ada: User, device: TotpDevice, clock: Clock
) -> None:
    prove_password(client, ada)
    _type(client, device, ahead=3)
    _pass(clock)
    late = oathtool(device.open_seed(), ahead=3)
    _pass(clock)

    assert client.post(AT_SIGN_IN, {"code": late}).status_code == 422
    assert _type(client, device, ahead=3) == 422
    _pass(clock)
    assert _type(client, device, ahead=3) == 303

    device.refresh_from_db()
    assert device.drift == 3


@pytest.mark.parametrize(("lived", "is_signed"), [(timedelta(seconds=-1), True), (timedelta(0), False)])
def test_the_first_code_waits_for_its_time_and_no_longer(
    client: Client, ada: User, device: TotpDevice, clock: Clock, lived: timedelta, *, is_signed: bool
) -> None:
    prove_password(client, ada)
    _type(client, device, ahead=2)
    _pass(clock)
    made_at = timezone.now() - rules.RESYNC_LIFETIME - lived
    Resync.objects.update(created_at=made_at)

    status = _type(client, device, ahead=2)

    assert status == 303
    assert is_signed_in(client) is is_signed


def test_a_first_code_counts_for_nobody_elses_half_sign_in(
    client: Client, ada: User, device: TotpDevice, clock: Clock
) -> None:
    prove_password(client, ada)
    _type(client, device, ahead=2)
    _pass(clock)

    stranger = Client()
    prove_password(stranger, ada)
    status = _type(stranger, device, ahead=2)

    assert status == 303
    assert not is_signed_in(stranger)


def test_each_code_costs_a_try_of_the_half_sign_in(
    client: Client, ada: User, device: TotpDevice, clock: Clock
) -> None:
    prove_password(client, ada)
    wrong = wrong_code(device)
    for _ in range(PENDING_TRIES - 1):
        assert client.post(AT_SIGN_IN, {"code": wrong}).status_code == 422

    last = client.post(AT_SIGN_IN, {"code": wrong})

    assert last.status_code == 303
    assert last["Location"] == "/accounts/login/"
    assert not PendingSignIn.objects.exists()


def test_the_owner_is_told_by_mail(client: Client, ada: User, device: TotpDevice, clock: Clock) -> None:
    prove_password(client, ada)
    _type(client, device, ahead=1)
    _pass(clock)

    _type(client, device, ahead=1)

    assert "mfa.resynced" in [mail.kind for mail in OutboxMail.objects.all()]


def test_a_signed_in_person_sets_the_clock_and_gets_a_new_session_key(clock: Clock) -> None:
    client, person = Client(), new_person()
    device = enrolled(person)
    sign_in(client, person)
    key = client.session.session_key
    _pass(clock, 10)

    assert _type(client, device, ahead=-4, at=SIGNED_IN) == 303
    _pass(clock)
    done = client.post(SIGNED_IN, {"code": oathtool(device.open_seed(), ahead=-4)})

    assert done["Location"] == OVERVIEW
    assert client.session.session_key != key
    device.refresh_from_db()
    assert device.drift == -4


def test_nobody_comes_by_without_a_half_sign_in_or_a_session(client: Client) -> None:
    assert client.get(AT_SIGN_IN).status_code == 303
    assert client.get(SIGNED_IN).status_code == 302

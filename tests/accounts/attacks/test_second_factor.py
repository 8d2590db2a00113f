"""Attacks on codes that are borrowed or replayed, at the sign-in and at the step-up."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from accounts.identity.models import PendingSignIn, User
from accounts.mfa import rules
from accounts.mfa.models import RecoveryCode, TotpDevice
from accounts.sessions.models import AccountSession
from tests.accounts.attacks.stranger import (
    ENROL,
    ENROL_CODES,
    NEW_CODES,
    RECOVER,
    REPLACE,
    SCAN,
    SESSIONS,
    SHOWN_CODE,
    VERIFY,
    enrols,
    is_signed_in,
    shown_key,
)
from tests.accounts.mfa.second_step import event_names
from tests.factories.sign_in import (
    enrolled,
    new_person,
    oathtool,
    prove_password,
    sign_in,
    with_recovery_codes,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

STEP = timedelta(seconds=rules.STEP_SECONDS)
FULL_WIDTH = {ord(str(digit)): 0xFF10 + digit for digit in range(10)}
ARABIC = {ord(str(digit)): 0x0660 + digit for digit in range(10)}
SPELLINGS = {
    "as it was": lambda code: code,
    "with a space": lambda code: f"{code[:3]} {code[3:]}",
    "between spaces": lambda code: f" {code} ",
    "full-width": lambda code: code.translate(FULL_WIDTH),
    "Arabic digits": lambda code: code.translate(ARABIC),
    "signed": lambda code: f"+{code}",
    "negative": lambda code: f"-{code}",
    "a leading nought": lambda code: f"0{code}",
    "a full-width nought": lambda code: f"\uff10{code}",
    "a line break": lambda code: f"{code}\n",
    "a no-break space": lambda code: f"{code}\u00a0",
    "an underscore": lambda code: f"{code[:3]}_{code[3:]}",
    "a decimal": lambda code: f"{code}.0",
}
CANONICAL = {"as it was", "with a space", "between spaces"}


def _signed_in(person: User, code: str) -> Client:
    client = Client()
    prove_password(client, person)
    assert client.post(VERIFY, {"code": code}).status_code == 303
    return client


def _step_up(client: Client, code: str, **fields: str) -> int:
    """Lets the proofs of every session grow old, and answers the question that follows with ``code``."""
    AccountSession.objects.update(proof_at=AccountSession.objects.first().started_at - 2 * STEP * 20)
    question = client.get(SESSIONS)["Location"]
    return client.post(question, {"way": "totp", "code": code, **fields}).status_code


# --- Borrowed -------------------------------------------------------------------------------------


def test_a_code_of_anothers_device_is_refused_and_leaves_it_working(client: Client, ada: User) -> None:
    """Case 4 (wagtail-2fa CVE-2020-5240): whatever device the request names."""
    enrolled(ada)
    bob = new_person("bob@example.com")
    bobs = enrolled(bob)
    code = oathtool(bobs.open_seed())
    named = {
        "device": bobs.persistent_id,
        "device_id": bobs.pk,
        "id": bobs.pk,
        "otp_device": bobs.persistent_id,
    }
    prove_password(client, ada)

    refused = client.post(f"{VERIFY}?device={bobs.pk}", {"code": code, **named})

    assert refused.status_code == 422
    assert not is_signed_in(client)
    assert is_signed_in(_signed_in(bob, code))


@pytest.mark.parametrize("page", [REPLACE, NEW_CODES])
def test_a_code_of_anothers_device_changes_no_factor(client: Client, ada: User, page: str) -> None:
    """Case 4 (wagtail-2fa CVE-2020-5240): neither of the two factors moves."""
    mine, bobs = enrolled(ada), enrolled(new_person("bob@example.com"))
    sign_in(client, ada)

    refused = client.post(page, {"code": oathtool(bobs.open_seed()), "device": bobs.persistent_id})

    assert refused.status_code == 422
    assert set(TotpDevice.objects.values_list("pk", flat=True)) == {mine.pk, bobs.pk}
    assert not RecoveryCode.objects.exists()


def test_a_code_of_anothers_device_satisfies_no_step_up(client: Client, ada: User) -> None:
    """Case 4 (wagtail-2fa CVE-2020-5240)."""
    bobs = enrolled(new_person("bob@example.com"))
    sign_in(client, ada)

    assert _step_up(client, oathtool(bobs.open_seed()), device=bobs.persistent_id) == 422
    assert client.get(SESSIONS).status_code == 303


def test_anothers_recovery_code_is_refused_and_stays_whole(
    client: Client, ada: User, device: TotpDevice
) -> None:
    """Case 4 (wagtail-2fa CVE-2020-5240)."""
    codes = with_recovery_codes(ada)
    bob = new_person("bob@example.com")
    enrolled(bob)
    prove_password(client, bob)

    assert client.post(RECOVER, {"recovery_code": codes[0]}).status_code == 422
    assert RecoveryCode.objects.usable().filter(user=ada).count() == 10


def test_anothers_enrolment_is_out_of_reach(client: Client, ada: User) -> None:
    """Case 4 (wagtail-2fa CVE-2020-5240): no page takes the name of one, and a session has its own only."""
    prove_password(client, ada)
    client.get(VERIFY)
    adas_key = shown_key(client)
    bob = Client()
    sign_in(bob, new_person("bob@example.com"))

    assert bob.get(SCAN)["Location"] == REPLACE
    assert shown_key(client) == adas_key


# --- Replayed -------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_used_code_is_refused_in_every_spelling(ada: User, device: TotpDevice, spelling: str) -> None:
    """Case 8 (allauth 65.20.1, TOB-PYPI26-9): no second spelling of a used code exists."""
    code = oathtool(device.open_seed())
    _signed_in(ada, code)
    stranger = Client()
    prove_password(stranger, ada)

    assert stranger.post(VERIFY, {"code": SPELLINGS[spelling](code)}).status_code == 422
    assert not is_signed_in(stranger)


@pytest.mark.parametrize("spelling", sorted(SPELLINGS.keys() - CANONICAL))
def test_another_spelling_is_not_even_looked_at(
    client: Client, ada: User, device: TotpDevice, spelling: str
) -> None:
    """Case 8 (allauth 65.20.1): it is no code, so it neither signs in nor burns the code nor spends a try."""
    code = oathtool(device.open_seed())
    prove_password(client, ada)

    assert client.post(VERIFY, {"code": SPELLINGS[spelling](code)}).status_code == 422
    assert PendingSignIn.objects.get().tries == 0
    assert client.post(VERIFY, {"code": code}).status_code == 303


@pytest.mark.parametrize(
    "spelling", [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code} "]
)
def test_a_used_recovery_code_is_refused_in_every_spelling(ada: User, device: TotpDevice, spelling) -> None:
    """Case 8 (TOB-PYPI26-9): the loose spellings that are forgiven all mean the one code that is burned."""
    code = with_recovery_codes(ada)[0]
    for expected in (303, 422):
        browser = Client()
        prove_password(browser, ada)
        assert browser.post(RECOVER, {"recovery_code": spelling(code)}).status_code == expected
        code = code.replace("0", "O").replace("1", "l")


def test_a_used_code_is_refused_in_a_new_sign_in_and_on_record(ada: User, device: TotpDevice) -> None:
    """Case 9 (TOB-PYPI26-1): within its own half minute."""
    code = oathtool(device.open_seed())
    _signed_in(ada, code)
    stranger = Client()
    prove_password(stranger, ada)

    assert stranger.post(VERIFY, {"code": code}).status_code == 422
    assert event_names(ada)[-1] == "auth.mfa.replay"


@pytest.mark.parametrize("ahead", [-2, -1, 1, 2])
def test_a_code_of_another_step_is_refused(client: Client, ada: User, device: TotpDevice, ahead: int) -> None:
    """Case 9 (TOB-PYPI26-1): tolerance zero, so nobody can use a code before or after its half minute."""
    prove_password(client, ada)

    assert client.post(VERIFY, {"code": oathtool(device.open_seed(), ahead=ahead)}).status_code == 422
    assert not is_signed_in(client)


def test_a_code_of_the_next_step_is_refused_half_a_minute_after_its_use(
    ada: User, device: TotpDevice, clock: time_machine.Traveller
) -> None:
    """Case 9 (TOB-PYPI26-1): for an app whose clock is ahead the use burns the step, not the moment."""
    TotpDevice.objects.update(drift=1)
    code = oathtool(device.open_seed(), ahead=1)
    _signed_in(ada, code)
    clock.shift(timedelta(seconds=31))
    stranger = Client()
    prove_password(stranger, ada)

    assert stranger.post(VERIFY, {"code": code}).status_code == 422


def test_an_earlier_code_is_refused_after_a_later_one(
    ada: User, device: TotpDevice, clock: time_machine.Traveller
) -> None:
    """Case 9 (TOB-PYPI26-1): t, t+1, then t again, also by a clock that was set back."""
    first = oathtool(device.open_seed())
    _signed_in(ada, first)
    clock.shift(STEP)
    _signed_in(ada, oathtool(device.open_seed()))
    stranger = Client()
    prove_password(stranger, ada)

    later = stranger.post(VERIFY, {"code": first})
    clock.shift(-STEP)
    set_back = stranger.post(VERIFY, {"code": first})

    assert (later.status_code, set_back.status_code) == (422, 422)
    assert not is_signed_in(stranger)


@pytest.mark.parametrize("ahead", [0, 3], ids=["true clock", "fast clock"])
def test_a_code_typed_at_the_enrolment_signs_nobody_in(
    client: Client, ada: User, clock: time_machine.Traveller, ahead: int
) -> None:
    """Case 9 (TOB-PYPI26-1): who looked over the shoulder has seen a code that is used."""
    prove_password(client, ada)
    client.get(VERIFY)
    key = shown_key(client)
    if ahead:
        client.post(ENROL, {"code": oathtool(key, ahead=ahead)})
        clock.shift(STEP)
    code = oathtool(key, ahead=ahead)
    page = client.post(ENROL, {"code": code}, follow=True).content.decode()
    client.post(ENROL_CODES, {"recovery_code": SHOWN_CODE.findall(page)[0]})
    stranger = Client()
    prove_password(stranger, ada)

    answers = [stranger.post(VERIFY, {"code": code}).status_code]
    clock.shift(STEP * ahead)
    answers.append(stranger.post(VERIFY, {"code": code}).status_code)

    assert is_signed_in(client)
    assert answers == [422, 422]


def test_a_code_that_signed_in_satisfies_no_step_up_and_the_other_way_round(
    ada: User, device: TotpDevice, clock: time_machine.Traveller
) -> None:
    """Case 9 (TOB-PYPI26-1): one record of what was used, for every page that asks."""
    code = oathtool(device.open_seed())
    mine = _signed_in(ada, code)
    again = _step_up(mine, code)
    clock.shift(STEP)
    shown = oathtool(device.open_seed())
    assert _step_up(mine, shown) == 303
    stranger = Client()
    prove_password(stranger, ada)

    answers = [
        again,
        stranger.post(VERIFY, {"code": shown}).status_code,
        mine.post(REPLACE, {"code": shown}).status_code,
        mine.post(NEW_CODES, {"code": shown}).status_code,
        _step_up(mine, shown),
    ]

    assert answers == [422] * 5


def test_draft_recovery_codes_sign_nobody_in(client: Client, ada: User) -> None:
    """Case 9 (TOB-PYPI26-1): codes of an enrolment that was never finished open nothing."""
    prove_password(client, ada)
    client.get(VERIFY)
    page = client.post(ENROL, {"code": oathtool(shown_key(client))}, follow=True).content.decode()
    other = Client()
    prove_password(other, ada)
    enrols(other)
    late = Client()
    prove_password(late, ada)

    assert late.post(RECOVER, {"recovery_code": SHOWN_CODE.findall(page)[1]}).status_code == 422

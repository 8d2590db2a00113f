"""Attacks on codes that are guessed or made up, at the sign-in and at the step-up."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from accounts.identity.models import User
from accounts.mfa import rules
from accounts.mfa.models import RecoveryCode, TotpDevice
from accounts.sessions.models import AccountSession
from tests.accounts.attacks.stranger import (
    LOGIN,
    NEW_CODES,
    RECOVER,
    REPLACE,
    SESSIONS,
    VERIFY,
    how_often,
    is_signed_in,
    key_of,
    known_browser_of,
    thief_of,
)
from tests.accounts.mfa.second_step import event_names, wrong_code
from tests.factories.sign_in import (
    oathtool,
    prove_password,
    sign_in,
    with_recovery_codes,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

STEP = timedelta(seconds=rules.STEP_SECONDS)


def _step_up(client: Client, code: str, **fields: str) -> int:
    """Lets the proofs of every session grow old, and answers the question that follows with ``code``."""
    AccountSession.objects.update(proof_at=AccountSession.objects.first().started_at - 2 * STEP * 20)
    question = client.get(SESSIONS)["Location"]
    return client.post(question, {"way": "totp", "code": code, **fields}).status_code


# --- Guessed --------------------------------------------------------------------------------------


def test_the_sixth_code_is_not_looked_at(client: Client, ada: User, device: TotpDevice) -> None:
    """Case 10 (Zitadel CVE-2024-32868): five tries, then the password again; a right code is too late."""
    prove_password(client, ada)
    tries = [client.post(VERIFY, {"code": wrong_code(device)}) for _ in range(5)]

    sixth = client.post(VERIFY, {"code": oathtool(device.open_seed())})

    assert [answer.status_code for answer in tries] == [422] * 4 + [303]
    assert tries[-1]["Location"] == sixth["Location"] == LOGIN
    assert "Too many wrong codes" in client.get(LOGIN).content.decode()
    assert not is_signed_in(client)


def test_tries_are_not_counted_by_factor_or_network(client: Client, ada: User, device: TotpDevice) -> None:
    """Case 10 (Zitadel CVE-2025-64102): codes and recovery codes from five networks make five tries."""
    right = with_recovery_codes(ada)[0]
    prove_password(client, ada)
    for number in range(3):
        client.post(VERIFY, {"code": wrong_code(device)}, REMOTE_ADDR=f"203.0.113.{number}")
    for number in range(2):
        last = client.post(
            RECOVER, {"recovery_code": rules.new_recovery_code()}, REMOTE_ADDR=f"198.51.100.{number}"
        )

    sixth = client.post(RECOVER, {"recovery_code": right}, REMOTE_ADDR="192.0.2.1")

    assert last["Location"] == sixth["Location"] == LOGIN
    assert RecoveryCode.objects.usable().count() == 10


def test_beginning_again_brings_no_new_codes_to_guess(ada: User, device: TotpDevice) -> None:
    """Case 10 (Zitadel CVE-2024-32868): ten an hour, over factors, networks and half sign-ins."""
    right = with_recovery_codes(ada)[0]
    for number in range(2):
        guesser = Client(REMOTE_ADDR=f"203.0.113.{number}")
        prove_password(guesser, ada)
        for _ in range(5):
            guesser.post(VERIFY, {"code": wrong_code(device)})
    fresh = Client(REMOTE_ADDR="198.51.100.7")
    prove_password(fresh, ada)

    refused = fresh.post(VERIFY, {"code": oathtool(device.open_seed())})
    recovery = fresh.post(RECOVER, {"recovery_code": right})

    assert (refused.status_code, recovery.status_code) == (429, 429)
    assert int(refused["Retry-After"]) > 0
    assert not is_signed_in(fresh)
    assert RecoveryCode.objects.usable().count() == 10
    assert (how_often("auth.mfa.fail"), event_names(ada)[-1]) == (10, "auth.mfa.deny")


def test_an_open_session_is_no_oracle_for_codes(client: Client, ada: User, device: TotpDevice) -> None:
    """Case 10 (Zitadel CVE-2025-64102): one budget over all pages of a stolen session that ask for a code."""
    sign_in(client, ada)
    wrong = wrong_code(device)

    pages = [REPLACE, NEW_CODES] * 4
    answers = [client.post(page, {"code": wrong}).status_code for page in pages]
    answers += [_step_up(client, wrong) for _ in range(4)]

    assert answers == [422] * 10 + [429] * 2


def test_a_stolen_session_mints_no_budgets_by_forgetting_its_browser(
    client: Client, ada: User, device: TotpDevice
) -> None:
    """Case 10 (Zitadel CVE-2025-64102): a session marks its browser once and guesses on its own budget."""
    sign_in(client, ada)
    statuses, marks = [], 0
    for _ in range(11):
        answer = thief_of(key_of(client)).post(REPLACE, {"code": wrong_code(device)})
        statuses.append(answer.status_code)
        marks += any(name.startswith("known-") for name in answer.cookies)

    assert statuses == [422] * 10 + [429]
    assert marks == 1


def test_strangers_with_the_password_lock_no_known_browser_out(
    ada: User, device: TotpDevice, clock: time_machine.Traveller
) -> None:
    """Case 13 (allauth 65.20.1): wrong codes of others spend the budget of strange browsers only."""
    mine = known_browser_of(ada)
    for _ in range(2):
        guesser = Client(REMOTE_ADDR="198.51.100.7")
        prove_password(guesser, ada)
        for _ in range(5):
            guesser.post(VERIFY, {"code": wrong_code(device)})
    prove_password(mine, ada)

    assert mine.post(VERIFY, {"code": oathtool(device.open_seed())}).status_code == 303
    assert is_signed_in(mine)


# --- Made up --------------------------------------------------------------------------------------

FORM = "application/x-www-form-urlencoded"
FORGED = {
    "nothing": (b"", FORM),
    "an empty code": (b"code=", FORM),
    "spaces": (b"code=++++++", FORM),
    "another field": (b"otp=123456&token=123456&otp_token=123456", FORM),
    "a verdict": (b"verified=true&success=1&code=true&status=ok&result=accepted", FORM),
    "an array": (b"code[]=123456", FORM),
    "null": (b"code=null", FORM),
    "JSON null": (b'{"code": null}', "application/json"),
    "JSON true": (b'{"code": true}', "application/json"),
    "an empty JSON": (b"{}", "application/json"),
    "a device's answer": (b"device_response=%7B%7D&assertion=%7B%7D&signature=&credential=", FORM),
    "a recovery code": (b"recovery_code=" + b"A" * 25, FORM),
    "noughts": (b"code=000000", FORM),
}


@pytest.mark.parametrize("what", FORGED)
def test_an_empty_or_forged_answer_of_a_device_signs_nobody_in(
    client: Client, ada: User, device: TotpDevice, what: str
) -> None:
    """Case 19 (GitLab CVE-2026-0723)."""
    body, content_type = FORGED[what]
    prove_password(client, ada)

    for page in (VERIFY, RECOVER):
        answer = client.post(page, body, content_type=content_type)
        assert answer.status_code in {400, 415, 422}
    assert not is_signed_in(client)
    assert not AccountSession.objects.exists()


@pytest.mark.parametrize("way", ["totp", "none", "", "password", "recovery"])
@pytest.mark.parametrize("what", ["nothing", "an empty code", "a verdict", "a recovery code"])
def test_an_empty_or_forged_answer_of_a_device_satisfies_no_step_up(
    client: Client, ada: User, device: TotpDevice, what: str, way: str
) -> None:
    """Case 19 (GitLab CVE-2026-0723): whatever way it claims to come."""
    sign_in(client, ada)
    AccountSession.objects.update(proof_at=AccountSession.objects.get().started_at - timedelta(hours=1))
    question = client.get(SESSIONS)["Location"]

    answer = client.post(question, FORGED[what][0] + f"&way={way}".encode(), content_type=FORM)

    assert answer.status_code == 422
    assert client.get(SESSIONS).status_code == 303


@pytest.mark.parametrize("typed", ["recovery_code", "password"])
def test_a_recovery_code_or_the_password_satisfies_no_step_up(client: Client, ada: User, typed: str) -> None:
    """Case 19 (GitLab CVE-2026-0723): what is no device answers for none."""
    sign_in(client, ada)
    value = with_recovery_codes(ada)[0] if typed == "recovery_code" else "violet anchor sings at noon"
    everything = dict.fromkeys(("code", "password", "recovery_code"), value)

    for page in (REPLACE, NEW_CODES):
        assert client.post(page, everything).status_code == 422
    assert _step_up(client, **everything) == 422
    assert RecoveryCode.objects.usable().count() == (10 if typed == "recovery_code" else 0)


def test_a_device_that_is_gone_proves_nothing_more(client: Client, ada: User, device: TotpDevice) -> None:
    """Case 19 (GitLab CVE-2026-0723): the session that it opened ends with it."""
    sign_in(client, ada)
    TotpDevice.objects.all().delete()

    assert not is_signed_in(client)
    assert "_auth_user_id" not in client.session

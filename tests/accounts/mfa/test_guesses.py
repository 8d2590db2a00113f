"""What guessing codes at sign-in comes to; attack cases by their number in the reference."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from accounts.identity.models import User
from accounts.mfa.models import TotpDevice
from kellexa_portal.mail.models import OutboxMail
from tests.accounts.mfa.second_step import VERIFY, event_names, is_signed_in, wrong_code
from tests.factories.sign_in import oathtool, prove_password

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def test_the_sixth_code_is_not_looked_at(client: Client, ada: User, device: TotpDevice) -> None:
    """Case 10: five tries, then the password again."""
    prove_password(client, ada)
    for _ in range(4):
        assert client.post(VERIFY, {"code": wrong_code(device)}).status_code == 422

    fifth = client.post(VERIFY, {"code": wrong_code(device)})
    sixth = client.post(VERIFY, {"code": oathtool(device.open_seed())})

    assert fifth.status_code == 303
    assert fifth["Location"] == "/accounts/login/"
    assert sixth["Location"] == "/accounts/login/"
    assert not is_signed_in(client)
    assert "Too many wrong codes" in client.get("/accounts/login/").content.decode()


def test_the_budget_is_shared_by_all_sign_ins_of_an_account(ada: User, device: TotpDevice) -> None:
    """Case 10: ten an hour, over factors, addresses and browsers."""
    for _ in range(2):
        guesser = Client()
        prove_password(guesser, ada)
        for _ in range(5):
            guesser.post(VERIFY, {"code": wrong_code(device)})
    fresh = Client(REMOTE_ADDR="198.51.100.7")
    prove_password(fresh, ada)

    refused = fresh.post(VERIFY, {"code": oathtool(device.open_seed())})
    recovery = fresh.post("/accounts/login/recover/", {"recovery_code": "A" * 25})

    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert recovery.status_code == 429
    assert not is_signed_in(fresh)
    assert event_names(ada).count("auth.mfa.fail") == 10
    assert event_names(ada)[-1] == "auth.mfa.deny"


def test_strangers_do_not_lock_a_known_browser_out(
    client: Client, ada: User, device: TotpDevice, clock: time_machine.Traveller
) -> None:
    """Case 13."""
    prove_password(client, ada)
    client.post(VERIFY, {"code": oathtool(device.open_seed())})
    client.post("/accounts/logout/")
    clock.shift(timedelta(seconds=60))
    for _ in range(2):
        guesser = Client(REMOTE_ADDR="198.51.100.7")
        prove_password(guesser, ada)
        for _ in range(5):
            guesser.post(VERIFY, {"code": wrong_code(device)})
    prove_password(client, ada)

    response = client.post(VERIFY, {"code": oathtool(device.open_seed())})

    assert response.status_code == 303
    assert is_signed_in(client)


def test_right_codes_spend_no_budget(ada: User, device: TotpDevice, clock: time_machine.Traveller) -> None:
    for _ in range(12):
        clock.shift(timedelta(seconds=30))
        browser = Client()
        prove_password(browser, ada)
        response = browser.post(VERIFY, {"code": oathtool(device.open_seed())})

        assert response.status_code == 303


def test_the_third_wrong_code_is_told_to_the_owner_once(
    client: Client, ada: User, device: TotpDevice
) -> None:
    prove_password(client, ada)
    for _ in range(2):
        client.post(VERIFY, {"code": wrong_code(device)})
    before = OutboxMail.objects.count()

    for _ in range(2):
        client.post(VERIFY, {"code": wrong_code(device)})

    mails = OutboxMail.objects.all()
    assert before == 0
    assert [mail.kind for mail in mails] == ["mfa.wrong_codes"]
    assert mails[0].recipient == ada.email

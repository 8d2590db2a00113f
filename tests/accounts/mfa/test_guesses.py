"""What guessing codes at sign-in comes to; attack cases by their number in the reference."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from accounts.identity.models import User
from accounts.mfa.models import TotpDevice
from kellexa_portal.mail.models import OutboxMail
from tests.accounts.mfa.second_step import VERIFY, wrong_code
from tests.factories.sign_in import oathtool, prove_password

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


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

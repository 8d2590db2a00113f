"""The second step of a sign-in, through HTTP; attack cases by their number in the reference."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.identity.models import PendingSignIn, User
from accounts.mfa.models import TotpDevice
from tests.accounts.mfa.second_step import OVERVIEW, VERIFY, event_names, is_signed_in, wrong_code
from tests.factories.sign_in import oathtool, prove_password

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def test_the_right_code_signs_in(client: Client, ada: User, device: TotpDevice) -> None:
    prove_password(client, ada)

    response = client.post(VERIFY, {"code": oathtool(device.open_seed())})

    assert response.status_code == 303
    assert response["Location"] == "/accounts/"
    assert is_signed_in(client)
    assert event_names(ada) == ["auth.login.succeed"]
    assert not PendingSignIn.objects.exists()


def test_the_page_has_the_field_and_button_of_the_contract(
    client: Client, ada: User, device: TotpDevice
) -> None:
    prove_password(client, ada)

    page = client.get(VERIFY)

    text = page.content.decode()
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert "Authentication code" in text
    assert re.search(r'<input[^>]*name="code"[^>]*autocomplete="one-time-code"', text)
    assert "Verify</button>" in text


def test_a_code_may_be_pasted_with_its_space(client: Client, ada: User, device: TotpDevice) -> None:
    code = oathtool(device.open_seed())
    prove_password(client, ada)

    client.post(VERIFY, {"code": f"{code[:3]} {code[3:]}"})

    assert is_signed_in(client)


def test_the_password_alone_opens_nothing(client: Client, ada: User, device: TotpDevice) -> None:
    prove_password(client, ada)

    response = client.get(OVERVIEW)

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("form", [{}, {"code": ""}, {"code": "1" * 5000}, {"code": "abc def"}])
def test_what_is_no_code_is_refused_beside_the_field(
    client: Client, ada: User, device: TotpDevice, form: dict[str, str]
) -> None:
    prove_password(client, ada)

    response = client.post(VERIFY, form)

    assert response.status_code == 422
    assert b"aria-invalid" in response.content


def test_a_refused_code_is_not_sent_back(client: Client, ada: User, device: TotpDevice) -> None:
    prove_password(client, ada)
    code = wrong_code(device)

    response = client.post(VERIFY, {"code": code})

    assert response.status_code == 422
    assert f'value="{code}"' not in response.content.decode()
    assert event_names(ada) == ["auth.mfa.fail"]


def test_a_drift_fixed_at_enrolment_is_kept(client: Client, ada: User, device: TotpDevice) -> None:
    TotpDevice.objects.update(drift=3)
    prove_password(client, ada)

    refused = client.post(VERIFY, {"code": oathtool(device.open_seed())})
    accepted = client.post(VERIFY, {"code": oathtool(device.open_seed(), ahead=3)})

    assert refused.status_code == 422
    assert accepted.status_code == 303


def test_wrong_methods_are_refused(client: Client) -> None:
    for name in ("mfa:verify", "mfa:recover", "mfa:enrol", "mfa:enrol_codes"):
        assert client.delete(reverse(name)).status_code == 405
    assert client.get(reverse("mfa:enrol_new_codes")).status_code == 405

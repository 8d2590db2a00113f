"""The pages of a signed-in person's factors: looked at, replaced, never removed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client

from accounts.identity.models import User
from accounts.mfa.models import Enrolment, RecoveryCode, TotpDevice
from kellexa_portal.audit import Stream
from kellexa_portal.audit.queries import events_of
from kellexa_portal.mail.models import OutboxMail
from tests.factories.sign_in import (
    enrolled,
    new_person,
    oathtool,
    prove_password,
    sign_in,
    with_recovery_codes,
)

pytestmark = pytest.mark.django_db

OVERVIEW = "/accounts/mfa/"
REPLACE = "/accounts/mfa/authenticator/"
SCAN = "/accounts/mfa/authenticator/new/"
CODES = "/accounts/mfa/recovery-codes/"
VERIFY = "/accounts/login/verify/"
SHOWN_CODE = re.compile(r"<li><code>([0-9A-Z-]{29})</code></li>")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2026-11-23T12:00:07Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def ada() -> User:
    return new_person()


@pytest.fixture
def device(ada: User) -> TotpDevice:
    return enrolled(ada)


@pytest.fixture
def signed_in(client: Client, ada: User, device: TotpDevice) -> Client:
    sign_in(client, ada)
    return client


def replacement_key(client: Client) -> str:
    page = client.get(SCAN).content.decode()
    found = re.search(r'id="manual-key"[^>]*>([A-Z2-7 ]+)<', page)
    assert found is not None
    return found.group(1)


def test_the_overview_tells_the_state_and_no_secret(signed_in: Client, ada: User, device: TotpDevice) -> None:
    with_recovery_codes(ada, 2)

    page = signed_in.get(OVERVIEW)

    text = page.content.decode()
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert "2 of 10 left" in text
    assert "Few codes are left" in text
    assert "Replace authenticator" in text
    assert "otpauth" not in text


def test_the_app_is_replaced_after_a_code_of_the_old_and_one_of_the_new(
    signed_in: Client, ada: User, device: TotpDevice, clock: time_machine.Traveller
) -> None:
    codes = with_recovery_codes(ada)
    before = signed_in.cookies[settings.SESSION_COOKIE_NAME].value
    started = signed_in.post(REPLACE, {"code": oathtool(device.open_seed())})
    key = replacement_key(signed_in)

    finished = signed_in.post(SCAN, {"code": oathtool(key)})

    assert started["Location"] == SCAN
    assert finished["Location"] == OVERVIEW
    assert signed_in.get(OVERVIEW).status_code == 200
    assert signed_in.cookies[settings.SESSION_COOKIE_NAME].value != before
    assert TotpDevice.objects.get().pk != device.pk
    assert RecoveryCode.objects.usable().count() == len(codes)
    assert not Enrolment.objects.exists()
    assert [mail.kind for mail in OutboxMail.objects.all()] == ["mfa.replaced"]
    assert "auth.mfa.replace" in [event.name for event in events_of(Stream.user(ada.public_id))]


def test_codes_of_the_old_app_stop_working_and_of_the_new_one_start(
    signed_in: Client, ada: User, device: TotpDevice, clock: time_machine.Traveller
) -> None:
    old = device.open_seed()
    signed_in.post(REPLACE, {"code": oathtool(old)})
    key = replacement_key(signed_in)
    signed_in.post(SCAN, {"code": oathtool(key)})
    clock.shift(timedelta(seconds=30))
    one, two = Client(), Client()
    prove_password(one, ada)
    prove_password(two, ada)

    refused = one.post(VERIFY, {"code": oathtool(old)})
    accepted = two.post(VERIFY, {"code": oathtool(key)})

    assert refused.status_code == 422
    assert accepted.status_code == 303


def test_replacing_needs_a_code_of_the_old_app(signed_in: Client, ada: User, device: TotpDevice) -> None:
    wrong = signed_in.post(REPLACE, {"code": oathtool(device.open_seed(), ahead=50)})
    skipped = signed_in.post(SCAN, {"code": "123456"})

    assert wrong.status_code == 422
    assert skipped["Location"] == REPLACE
    assert not Enrolment.objects.exists()
    assert TotpDevice.objects.get().pk == device.pk


def test_a_replacement_that_was_left_lying_expires(
    signed_in: Client, ada: User, device: TotpDevice, clock: time_machine.Traveller
) -> None:
    signed_in.post(REPLACE, {"code": oathtool(device.open_seed())})
    clock.shift(timedelta(minutes=11))

    assert signed_in.get(SCAN)["Location"] == REPLACE


def test_another_session_of_the_same_person_does_not_share_the_replacement(
    signed_in: Client, ada: User, device: TotpDevice
) -> None:
    elsewhere = Client()
    sign_in(elsewhere, ada)
    signed_in.post(REPLACE, {"code": oathtool(device.open_seed())})

    assert elsewhere.get(SCAN)["Location"] == REPLACE


def test_new_recovery_codes_are_shown_once_and_replace_the_old(
    signed_in: Client, ada: User, device: TotpDevice
) -> None:
    old = with_recovery_codes(ada)
    elsewhere = Client()
    sign_in(elsewhere, ada)

    response = signed_in.post(CODES, {"code": oathtool(device.open_seed())}, follow=True)

    fresh = SHOWN_CODE.findall(response.content.decode())
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert len(fresh) == 10
    assert not set(fresh) & set(old)
    assert RecoveryCode.objects.count() == 10
    assert not SHOWN_CODE.search(signed_in.get(CODES).content.decode())
    assert elsewhere.get(OVERVIEW).status_code == 302
    assert signed_in.get(OVERVIEW).status_code == 200
    assert [mail.kind for mail in OutboxMail.objects.all()] == ["mfa.recovery_renewed"]


def test_sending_the_same_form_again_makes_no_further_codes(
    signed_in: Client, ada: User, device: TotpDevice
) -> None:
    code = oathtool(device.open_seed())
    signed_in.post(CODES, {"code": code})
    kept = set(RecoveryCode.objects.values_list("pk", flat=True))

    again = signed_in.post(CODES, {"code": code})

    assert again.status_code == 422
    assert set(RecoveryCode.objects.values_list("pk", flat=True)) == kept


def test_no_page_removes_a_factor(signed_in: Client, ada: User, device: TotpDevice) -> None:
    for path in (OVERVIEW, REPLACE, SCAN, CODES):
        signed_in.delete(path)
        signed_in.post(path, {"remove": "1", "id": device.pk, "device": device.pk})

    assert TotpDevice.objects.filter(pk=device.pk, user=ada).exists()

"""Recovery codes at sign-in: each once, and only as far as a new authenticator app."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.identity import quarantine
from accounts.identity.models import PendingSignIn, User
from accounts.mfa import rules
from accounts.mfa.models import RecoveryCode, TotpDevice
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream
from kellexa_portal.audit.queries import events_of
from kellexa_portal.mail import body
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

VERIFY = "/accounts/login/verify/"
RECOVER = "/accounts/login/recover/"
ENROL = "/accounts/login/enrol/"
CODES = "/accounts/login/enrol/codes/"
OVERVIEW = "/accounts/mfa/"
SHOWN_CODE = re.compile(r"<li><code>([0-9A-Z-]{29})</code></li>")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2026-11-23T12:00:07Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def ada() -> User:
    person = new_person()
    enrolled(person)
    return person


@pytest.fixture
def codes(ada: User) -> list[str]:
    return with_recovery_codes(ada)


def is_signed_in(client: Client) -> bool:
    return client.get(OVERVIEW).status_code == 200


def finish(client: Client) -> None:
    """Enrols the new app of a recovered sign-in."""
    page = client.get(ENROL).content.decode()
    key = re.search(r'id="manual-key"[^>]*>([A-Z2-7 ]+)<', page)
    assert key is not None
    shown = client.post(ENROL, {"code": oathtool(key.group(1))}, follow=True).content.decode()
    assert client.post(CODES, {"recovery_code": SHOWN_CODE.findall(shown)[0]}).status_code == 303


def test_a_recovery_code_leads_to_enrolment_and_signs_nobody_in(
    client: Client, ada: User, codes: list[str]
) -> None:
    prove_password(client, ada)

    response = client.post(RECOVER, {"recovery_code": codes[0]})

    assert response.status_code == 303
    assert response["Location"] == ENROL
    assert client.get(ENROL).status_code == 200
    assert not is_signed_in(client)
    assert client.post(VERIFY, {"code": "123456"})["Location"] == ENROL
    assert not AccountSession.objects.exists()


def test_recovery_ends_with_a_new_app_in_place_of_the_old(
    client: Client, ada: User, codes: list[str]
) -> None:
    old = TotpDevice.objects.get().open_seed()
    elsewhere = Client()
    sign_in(elsewhere, ada)
    prove_password(client, ada)
    client.post(RECOVER, {"recovery_code": codes[0]})

    finish(client)

    assert is_signed_in(client)
    assert not is_signed_in(elsewhere)
    assert TotpDevice.objects.get().open_seed() != old
    assert AccountSession.objects.order_by("pk").last().method == "recovery"
    names = [event.name for event in events_of(Stream.user(ada.public_id)).order_by("pk")]
    assert names[1:] == [
        "auth.recovery.use",
        "account.quarantine.begin",
        "auth.mfa.replace",
        "auth.login.succeed",
        "session.revoke_others",
    ]
    assert [mail.kind for mail in OutboxMail.objects.order_by("pk")] == ["mfa.recovery_used", "mfa.replaced"]


def test_the_old_recovery_codes_die_with_the_old_app(client: Client, ada: User, codes: list[str]) -> None:
    prove_password(client, ada)
    client.post(RECOVER, {"recovery_code": codes[0]})
    finish(client)
    other = Client()
    prove_password(other, ada)

    response = other.post(RECOVER, {"recovery_code": codes[1]})

    assert response.status_code == 422
    assert RecoveryCode.objects.usable().count() == 10


def test_an_abandoned_recovery_leaves_the_old_app_working(
    client: Client, ada: User, codes: list[str]
) -> None:
    prove_password(client, ada)
    client.post(RECOVER, {"recovery_code": codes[0]})
    client.get(ENROL)
    other = Client()
    prove_password(other, ada)

    response = other.post(VERIFY, {"code": oathtool(TotpDevice.objects.get().open_seed())})

    assert response.status_code == 303
    assert is_signed_in(other)
    assert RecoveryCode.objects.usable().count() == 9


@pytest.mark.parametrize("spell", [str.lower, lambda code: code.replace("-", " "), lambda code: f"  {code} "])
def test_a_recovery_code_may_be_typed_loosely(client: Client, ada: User, codes: list[str], spell) -> None:
    prove_password(client, ada)

    response = client.post(RECOVER, {"recovery_code": spell(codes[0])})

    assert response["Location"] == ENROL


@pytest.mark.parametrize("typed", ["", "ABCDE", "A" * 500, "é" * 25])
def test_what_is_no_recovery_code_is_refused_beside_the_field(
    client: Client, ada: User, codes: list[str], typed: str
) -> None:
    prove_password(client, ada)

    response = client.post(RECOVER, {"recovery_code": typed})

    assert response.status_code == 422
    assert PendingSignIn.objects.get().tries == 0


def test_the_fifth_try_may_still_be_right(client: Client, ada: User, codes: list[str]) -> None:
    prove_password(client, ada)
    for _ in range(4):
        client.post(RECOVER, {"recovery_code": rules.new_recovery_code()})

    client.post(RECOVER, {"recovery_code": codes[0]})
    finish(client)

    assert is_signed_in(client)


def test_the_owner_is_told_and_warned_when_few_are_left(client: Client, ada: User) -> None:
    codes = with_recovery_codes(ada, 4)
    prove_password(client, ada)

    client.post(RECOVER, {"recovery_code": codes[0]})

    text = body.of(OutboxMail.objects.get()).text
    assert "3 recovery codes" in text
    assert "Few codes are left" in text
    assert codes[0] not in text


def test_a_zone_that_this_system_does_not_know_stops_no_recovery(
    client: Client, ada: User, codes: list[str]
) -> None:
    User.objects.update(time_zone="no/zone")
    prove_password(client, ada)

    response = client.post(RECOVER, {"recovery_code": codes[0]})

    assert response.status_code in {302, 303}
    assert "UTC" in body.of(OutboxMail.objects.get()).text


def test_a_recovery_code_begins_a_quarantine(client: Client, ada: User) -> None:
    """A thief with a printed code gets in, and can neither make a key nor move the address for a day."""
    code = with_recovery_codes(ada)[0]
    prove_password(client, ada)

    client.post(RECOVER, {"recovery_code": code})

    ada.refresh_from_db()
    assert ada.quarantined_until is not None
    assert timedelta(hours=23) < ada.quarantined_until - timezone.now() <= timedelta(hours=24)
    assert not quarantine.is_quarantined(ada, ada.quarantined_until)

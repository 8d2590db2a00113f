"""Enrolling an authenticator app at the first sign-in, through HTTP."""

from __future__ import annotations

import logging
import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from accounts.identity.models import User
from accounts.mfa import rules
from accounts.mfa.models import Enrolment, RecoveryCode, TotpDevice
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream
from kellexa_portal.audit.queries import events_of
from kellexa_portal.mail.models import OutboxMail
from tests.factories.sign_in import enrolled, new_person, oathtool, prove_password

pytestmark = pytest.mark.django_db

VERIFY = "/accounts/login/verify/"
ENROL = "/accounts/login/enrol/"
CODES = "/accounts/login/enrol/codes/"
NEW_CODES = "/accounts/login/enrol/codes/new/"
OVERVIEW = "/accounts/mfa/"
NOON = "2026-11-23T12:00:07Z"
SHOWN_CODE = re.compile(r"<li><code>([0-9A-Z-]{29})</code></li>")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def ada() -> User:
    return new_person()


@pytest.fixture
def at_enrolment(client: Client, ada: User) -> Client:
    prove_password(client, ada)
    return client


def shown_key(client: Client) -> str:
    """The key as the page shows it, as a person would type it into an app."""
    page = client.get(ENROL).content.decode()
    found = re.search(r'id="manual-key"[^>]*>([A-Z2-7 ]+)<', page)
    assert found is not None
    return found.group(1)


def shown_codes(client: Client, key: str) -> list[str]:
    """Types the first code and answers the recovery codes of the page that follows."""
    return SHOWN_CODE.findall(client.post(ENROL, {"code": oathtool(key)}, follow=True).content.decode())


def is_signed_in(client: Client) -> bool:
    return client.get(OVERVIEW).status_code == 200


def test_a_person_without_a_factor_is_sent_to_enrolment(at_enrolment: Client) -> None:
    response = at_enrolment.get(VERIFY)

    assert response.status_code == 303
    assert response["Location"] == ENROL


def test_enrolment_ends_signed_in_with_one_app_and_ten_codes(at_enrolment: Client, ada: User) -> None:
    key = shown_key(at_enrolment)
    codes = shown_codes(at_enrolment, key)

    response = at_enrolment.post(CODES, {"recovery_code": codes[3].lower()})

    assert response.status_code == 303
    assert response["Location"] == "/accounts/"
    assert is_signed_in(at_enrolment)
    assert len(set(codes)) == 10
    assert RecoveryCode.objects.usable().filter(user=ada).count() == 10
    assert TotpDevice.objects.get().user == ada
    assert AccountSession.objects.get().method == "enrolment"
    assert not Enrolment.objects.exists()
    names = [event.name for event in events_of(Stream.user(ada.public_id)).order_by("pk")]
    assert names == ["auth.mfa.enrol", "auth.login.succeed"]
    assert [mail.kind for mail in OutboxMail.objects.all()] == ["mfa.enrolled"]


def test_the_page_shows_picture_key_and_link_of_one_seed(at_enrolment: Client) -> None:
    page = at_enrolment.get(ENROL)

    text = page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert re.search(r'<svg[^>]*role="img"', text)
    assert "otpauth://totp/Kellexa:ada%40example.com?secret=" in text
    assert " style=" not in text
    assert "<script>" not in text


def test_reloading_shows_the_same_seed(at_enrolment: Client) -> None:
    first = shown_key(at_enrolment)

    assert shown_key(at_enrolment) == first
    assert Enrolment.objects.count() == 1


def test_two_browsers_with_the_password_are_never_shown_one_seed(at_enrolment: Client, ada: User) -> None:
    stranger = Client()
    prove_password(stranger, ada)
    stranger.get(VERIFY)

    assert shown_key(stranger) != shown_key(at_enrolment)


def test_the_first_to_enrol_ends_every_other_half_sign_in(at_enrolment: Client, ada: User) -> None:
    """Case 3: a password alone adds no factor beside an existing one."""
    stranger = Client()
    prove_password(stranger, ada)
    stranger.get(VERIFY)
    strangers_key = shown_key(stranger)
    strangers_codes = shown_codes(stranger, strangers_key)
    codes = shown_codes(at_enrolment, shown_key(at_enrolment))
    at_enrolment.post(CODES, {"recovery_code": codes[0]})

    response = stranger.post(CODES, {"recovery_code": strangers_codes[0]})

    assert response["Location"] == "/accounts/login/"
    assert not is_signed_in(stranger)
    assert is_signed_in(at_enrolment)
    assert TotpDevice.objects.count() == 1


def test_enrolment_opens_no_other_page(at_enrolment: Client) -> None:
    at_enrolment.get(VERIFY)

    assert at_enrolment.get(OVERVIEW).status_code == 302
    assert at_enrolment.post(VERIFY, {"code": "123456"})["Location"] == ENROL
    assert at_enrolment.post("/accounts/login/recover/", {"recovery_code": "A" * 25})["Location"] == ENROL


def test_a_wrong_code_keeps_the_seed_and_says_so(at_enrolment: Client) -> None:
    key = shown_key(at_enrolment)

    response = at_enrolment.post(ENROL, {"code": oathtool(key, ahead=40)})

    assert response.status_code == 422
    assert key in response.content.decode()
    assert not RecoveryCode.objects.exists()


def test_a_wrong_recovery_code_does_not_finish(at_enrolment: Client) -> None:
    shown_codes(at_enrolment, shown_key(at_enrolment))

    response = at_enrolment.post(CODES, {"recovery_code": rules.new_recovery_code()})

    assert response.status_code == 422
    assert not TotpDevice.objects.exists()
    assert not is_signed_in(at_enrolment)


def test_reloading_after_the_code_shows_no_codes_but_offers_new_ones(at_enrolment: Client) -> None:
    key = shown_key(at_enrolment)
    first = shown_codes(at_enrolment, key)
    again = at_enrolment.post(ENROL, {"code": oathtool(key)})
    page = at_enrolment.get(CODES).content.decode()

    fresh = SHOWN_CODE.findall(at_enrolment.post(NEW_CODES, follow=True).content.decode())
    old = at_enrolment.post(CODES, {"recovery_code": first[0]})
    new = at_enrolment.post(CODES, {"recovery_code": fresh[0]})

    assert again["Location"] == CODES
    assert not SHOWN_CODE.search(page)
    assert len(fresh) == 10
    assert old.status_code == 422
    assert new.status_code == 303
    assert RecoveryCode.objects.count() == 10


def test_the_page_of_the_codes_is_never_stored(at_enrolment: Client) -> None:
    response = at_enrolment.post(ENROL, {"code": oathtool(shown_key(at_enrolment))}, follow=True)

    assert response.status_code == 200
    assert SHOWN_CODE.search(response.content.decode())
    assert "no-store" in response["Cache-Control"]


def test_a_late_code_asks_for_the_next_and_leaves_no_drift(
    at_enrolment: Client, clock: time_machine.Traveller
) -> None:
    key = shown_key(at_enrolment)

    late = at_enrolment.post(ENROL, {"code": oathtool(key, ahead=-1)})
    clock.shift(timedelta(seconds=30))
    in_time = at_enrolment.post(ENROL, {"code": oathtool(key)})

    assert late.status_code == 422
    assert "next code" in late.content.decode()
    assert in_time["Location"] == CODES
    assert Enrolment.objects.get().seen_drift == 0


def test_a_wrong_clock_is_learnt_from_two_codes(
    at_enrolment: Client, ada: User, clock: time_machine.Traveller
) -> None:
    key = shown_key(at_enrolment)
    at_enrolment.post(ENROL, {"code": oathtool(key, ahead=-4)})
    repeated = at_enrolment.post(ENROL, {"code": oathtool(key, ahead=-4)})
    clock.shift(timedelta(seconds=30))
    page = at_enrolment.post(ENROL, {"code": oathtool(key, ahead=-4)}, follow=True).content.decode()
    at_enrolment.post(CODES, {"recovery_code": SHOWN_CODE.findall(page)[0]})
    clock.shift(timedelta(seconds=30))
    other = Client()
    prove_password(other, ada)

    response = other.post(VERIFY, {"code": oathtool(key, ahead=-4)})

    assert repeated.status_code == 422
    assert TotpDevice.objects.get().drift == -4
    assert response.status_code == 303


def test_seeds_stand_nowhere_in_clear(
    at_enrolment: Client, ada: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = shown_key(at_enrolment)
    at_enrolment.post(CODES, {"recovery_code": shown_codes(at_enrolment, key)[0]})
    device = TotpDevice.objects.get()
    seed = device.open_seed()

    with connection.cursor() as cursor:
        cursor.execute("SELECT d::text, sealed_seed FROM mfa_totpdevice d")
        row, sealed = cursor.fetchone()

    spellings = {key, key.replace(" ", ""), seed.hex(), str(seed)}
    stored = "".join(str(session.get_decoded()) for session in Session.objects.all())
    assert seed not in bytes(sealed)
    assert rules.code_at(seed, device.last_step) not in stored
    for text in (row, stored, caplog.text, repr(device), str(device)):
        assert not any(spelling in text for spelling in spellings)


def test_a_seed_does_not_open_in_another_row(ada: User) -> None:
    from kellexa_portal.crypto import SealedValueError

    first, second = enrolled(ada), enrolled(new_person("bob@example.com"))
    TotpDevice.objects.filter(pk=second.pk).update(sealed_seed=first.sealed_seed)
    second.refresh_from_db()

    with pytest.raises(SealedValueError):
        second.open_seed()


def test_recovery_codes_are_kept_as_hashes(at_enrolment: Client) -> None:
    codes = shown_codes(at_enrolment, shown_key(at_enrolment))

    with connection.cursor() as cursor:
        cursor.execute("SELECT c::text FROM mfa_recoverycode c")
        rows = " ".join(row for (row,) in cursor.fetchall())

    for code in codes:
        bare = code.replace("-", "")
        assert code not in rows
        assert bare not in rows
        assert bare.encode().hex() not in rows


def test_an_expired_enrolment_goes_back_to_the_password(
    at_enrolment: Client, clock: time_machine.Traveller
) -> None:
    key = shown_key(at_enrolment)
    clock.shift(timedelta(minutes=11))

    response = at_enrolment.post(ENROL, {"code": oathtool(key)})

    assert response["Location"] == "/accounts/login/"

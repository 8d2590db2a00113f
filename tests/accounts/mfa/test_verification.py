"""The second step of a sign-in, through HTTP; attack cases by their number in the reference."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.identity.models import PendingSignIn, User
from accounts.mfa import rules
from accounts.mfa.models import TotpDevice
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream
from kellexa_portal.audit.queries import events_of
from kellexa_portal.mail.models import OutboxMail
from tests.factories.sign_in import (
    PASSWORD,
    enrolled,
    new_person,
    oathtool,
    prove_password,
    sign_in,
)

pytestmark = pytest.mark.django_db

VERIFY = "/accounts/login/verify/"
OVERVIEW = "/accounts/mfa/"
NOON = "2026-11-23T12:00:07Z"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def ada() -> User:
    return new_person()


@pytest.fixture
def device(ada: User) -> TotpDevice:
    return enrolled(ada)


def wrong(device: TotpDevice) -> str:
    """Six digits that no step near now has."""
    step = rules.step_at(timezone.now())
    near = {rules.code_at(device.open_seed(), step + offset) for offset in range(-30, 31)}
    return next(f"{number:06d}" for number in range(100) if f"{number:06d}" not in near)


def is_signed_in(client: Client) -> bool:
    return client.get(OVERVIEW).status_code == 200


def event_names(user: User) -> list[str]:
    return [event.name for event in events_of(Stream.user(user.public_id)).order_by("pk")]


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


@pytest.mark.parametrize("spell", ["+{}", "{}\n", "{}\u00a0", "０{}", "-{}"])
def test_other_spellings_are_refused_and_spend_nothing(
    client: Client, ada: User, device: TotpDevice, spell: str
) -> None:
    """Case 8."""
    prove_password(client, ada)

    response = client.post(VERIFY, {"code": spell.format(oathtool(device.open_seed()))})

    assert response.status_code == 422
    assert not is_signed_in(client)
    assert PendingSignIn.objects.get().tries == 0


def test_full_width_digits_are_refused(client: Client, ada: User, device: TotpDevice) -> None:
    """Case 8."""
    code = oathtool(device.open_seed()).translate({ord(str(n)): 0xFF10 + n for n in range(10)})
    prove_password(client, ada)

    response = client.post(VERIFY, {"code": code})

    assert response.status_code == 422
    assert not is_signed_in(client)


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
    code = wrong(device)

    response = client.post(VERIFY, {"code": code})

    assert response.status_code == 422
    assert f'value="{code}"' not in response.content.decode()
    assert event_names(ada) == ["auth.mfa.fail"]


def test_a_used_code_is_refused_in_a_new_sign_in(client: Client, ada: User, device: TotpDevice) -> None:
    """Case 9."""
    code = oathtool(device.open_seed())
    prove_password(client, ada)
    client.post(VERIFY, {"code": code})
    stranger = Client()
    prove_password(stranger, ada)

    response = stranger.post(VERIFY, {"code": code})

    assert response.status_code == 422
    assert not is_signed_in(stranger)
    assert event_names(ada)[-1] == "auth.mfa.replay"


@pytest.mark.parametrize("ahead", [-2, -1, 1, 2])
def test_a_code_of_another_step_is_refused(client: Client, ada: User, device: TotpDevice, ahead: int) -> None:
    """Case 9: tolerance zero, ASVS 6.5.5."""
    prove_password(client, ada)

    response = client.post(VERIFY, {"code": oathtool(device.open_seed(), ahead=ahead)})

    assert response.status_code == 422
    assert not is_signed_in(client)


def test_codes_work_each_in_its_own_step_and_never_again(
    ada: User, device: TotpDevice, clock: time_machine.Traveller
) -> None:
    """Case 9: t, t+1, then t."""
    first = oathtool(device.open_seed())
    one, two, three = Client(), Client(), Client()
    prove_password(one, ada)
    one.post(VERIFY, {"code": first})
    clock.shift(timedelta(seconds=30))
    prove_password(two, ada)
    two.post(VERIFY, {"code": oathtool(device.open_seed())})
    prove_password(three, ada)

    response = three.post(VERIFY, {"code": first})

    assert is_signed_in(one)
    assert is_signed_in(two)
    assert response.status_code == 422
    assert not is_signed_in(three)


def test_a_drift_fixed_at_enrolment_is_kept(client: Client, ada: User, device: TotpDevice) -> None:
    TotpDevice.objects.update(drift=3)
    prove_password(client, ada)

    refused = client.post(VERIFY, {"code": oathtool(device.open_seed())})
    accepted = client.post(VERIFY, {"code": oathtool(device.open_seed(), ahead=3)})

    assert refused.status_code == 422
    assert accepted.status_code == 303


def test_the_sixth_code_is_not_looked_at(client: Client, ada: User, device: TotpDevice) -> None:
    """Case 10: five tries, then the password again."""
    prove_password(client, ada)
    for _ in range(4):
        assert client.post(VERIFY, {"code": wrong(device)}).status_code == 422

    fifth = client.post(VERIFY, {"code": wrong(device)})
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
            guesser.post(VERIFY, {"code": wrong(device)})
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
            guesser.post(VERIFY, {"code": wrong(device)})
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
        client.post(VERIFY, {"code": wrong(device)})
    before = OutboxMail.objects.count()

    for _ in range(2):
        client.post(VERIFY, {"code": wrong(device)})

    mails = OutboxMail.objects.all()
    assert before == 0
    assert [mail.kind for mail in mails] == ["mfa.wrong_codes"]
    assert mails[0].recipient == ada.email


def test_without_a_half_sign_in_one_is_sent_to_begin(client: Client, ada: User, device: TotpDevice) -> None:
    response = client.post(VERIFY, {"code": oathtool(device.open_seed())})

    assert response.status_code == 303
    assert response["Location"] == "/accounts/login/"
    assert "has expired" in client.get("/accounts/login/").content.decode()


def test_a_half_sign_in_expires(
    client: Client, ada: User, device: TotpDevice, clock: time_machine.Traveller
) -> None:
    prove_password(client, ada)
    clock.shift(timedelta(minutes=10))

    response = client.post(VERIFY, {"code": oathtool(device.open_seed())})

    assert response["Location"] == "/accounts/login/"
    assert not is_signed_in(client)


def test_a_half_sign_in_dies_with_the_epoch(client: Client, ada: User, device: TotpDevice) -> None:
    """Case 28."""
    prove_password(client, ada)
    User.objects.update(security_epoch=9)

    client.post(VERIFY, {"code": oathtool(device.open_seed())})

    assert not is_signed_in(client)


def test_a_deactivated_account_does_not_finish(client: Client, ada: User, device: TotpDevice) -> None:
    prove_password(client, ada)
    User.objects.update(is_active=False)

    client.post(VERIFY, {"code": oathtool(device.open_seed())})

    assert not is_signed_in(client)
    assert not AccountSession.objects.exists()


@pytest.mark.parametrize(
    ("wanted", "landing"),
    [
        ("/accounts/sessions/", "/accounts/sessions/"),
        ("//evil.example", "/accounts/"),
        ("https://evil.example/", "/accounts/"),
        ("/admin/", "/accounts/"),
    ],
)
def test_one_arrives_where_one_wanted_and_never_elsewhere(
    client: Client, ada: User, device: TotpDevice, wanted: str, landing: str
) -> None:
    """Case 38."""
    prove_password(client, ada, next_url=wanted)

    response = client.post(VERIFY, {"code": oathtool(device.open_seed())})

    assert response["Location"] == landing


def test_staff_use_the_same_steps_and_arrive_at_the_admin(client: Client) -> None:
    staff = new_person("sam@kellexa.example", is_staff=True)
    device = enrolled(staff)
    prove_password(client, staff, next_url="/accounts/sessions/")

    response = client.post(VERIFY, {"code": oathtool(device.open_seed())})

    assert response["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_the_admin_has_no_sign_in_of_its_own(client: Client) -> None:
    """Case 1."""
    staff = new_person("sam@kellexa.example", is_staff=True)
    enrolled(staff)

    response = client.post("/admin/login/", {"username": staff.email, "password": PASSWORD})

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")
    assert "_auth_user_id" not in client.session
    assert client.get("/admin/").status_code == 302


def test_half_sign_ins_hold_no_password_and_no_account(client: Client, ada: User, device: TotpDevice) -> None:
    """Case 21."""
    prove_password(client, ada)

    stored = Session.objects.get().get_decoded()

    assert list(stored) == ["pending_sign_in"]
    assert PASSWORD not in str(stored)


def test_a_planted_session_id_dies_at_the_password_and_at_the_code(ada: User, device: TotpDevice) -> None:
    """Case 31."""
    victim = Client()
    victim.get("/accounts/login/")
    session = victim.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    victim.cookies[settings.SESSION_COOKIE_NAME] = planted
    prove_password(victim, ada)
    after_password = victim.cookies[settings.SESSION_COOKIE_NAME].value

    victim.post(VERIFY, {"code": oathtool(device.open_seed())})

    after_code = victim.cookies[settings.SESSION_COOKIE_NAME].value
    assert len({planted, after_password, after_code}) == 3
    assert "planted" not in victim.session
    for dead in (planted, after_password):
        attacker = Client()
        attacker.cookies[settings.SESSION_COOKIE_NAME] = dead
        assert not is_signed_in(attacker)
        assert not Session.objects.filter(session_key=dead).exists()


def test_a_second_person_in_the_same_browser_inherits_nothing(client: Client, ada: User) -> None:
    """Cases 7 and 36."""
    bob = new_person("bob@example.com")
    bobs_device = enrolled(bob)
    sign_in(client, ada)
    client.get(OVERVIEW)
    client.post("/accounts/logout/")
    prove_password(client, ada)
    prove_password(client, bob)

    client.post(VERIFY, {"code": oathtool(bobs_device.open_seed())})

    assert client.get(OVERVIEW).context["user"].pk == bob.pk
    session = client.session
    assert session["_auth_user_id"] == str(bob.pk)
    assert session["otp_device_id"] == bobs_device.persistent_id
    assert "pending_sign_in" not in session


def test_wrong_methods_are_refused(client: Client) -> None:
    for name in ("mfa:verify", "mfa:recover", "mfa:enrol", "mfa:enrol_codes"):
        assert client.delete(reverse(name)).status_code == 405
    assert client.get(reverse("mfa:enrol_new_codes")).status_code == 405

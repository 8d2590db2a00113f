"""A password without its code: how long it counts, where it leads, what it leaves behind."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.identity.models import User
from accounts.mfa.models import TotpDevice
from accounts.sessions.models import AccountSession
from accounts.sessions.store import SessionStore
from tests.accounts.mfa.second_step import OVERVIEW, VERIFY, is_signed_in
from tests.factories.sign_in import PASSWORD, enrolled, new_person, oathtool, prove_password, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


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
        assert not SessionStore().exists(dead)


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

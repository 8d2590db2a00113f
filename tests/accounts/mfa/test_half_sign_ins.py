"""A password without its code: how long it counts, where it leads, what it leaves behind."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from accounts.identity.models import User
from accounts.mfa.models import TotpDevice
from tests.accounts.mfa.second_step import VERIFY, is_signed_in
from tests.factories.sign_in import enrolled, new_person, oathtool, prove_password

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


def test_one_arrives_where_one_wanted(client: Client, ada: User, device: TotpDevice) -> None:
    prove_password(client, ada, next_url="/accounts/sessions/")

    response = client.post(VERIFY, {"code": oathtool(device.open_seed())})

    assert response["Location"] == "/accounts/sessions/"


def test_staff_use_the_same_steps_and_arrive_at_the_admin(client: Client) -> None:
    staff = new_person("sam@kellexa.example", is_staff=True)
    device = enrolled(staff)
    prove_password(client, staff, next_url="/accounts/sessions/")

    response = client.post(VERIFY, {"code": oathtool(device.open_seed())})

    assert response["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200

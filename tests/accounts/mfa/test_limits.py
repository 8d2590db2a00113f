"""Limits hold while Redis is down, and seeds stay sealed."""

from __future__ import annotations

import pytest
import time_machine
from django.test import Client

from accounts.mfa import rules
from accounts.mfa.models import TotpDevice
from kellexa_portal.crypto import Place, SealedValueError, open_sealed, seal
from kellexa_portal.crypto.registry import sealed_columns
from tests.factories.sign_in import enrolled, new_person, oathtool, prove_password

NO_REDIS = "redis://127.0.0.1:1/0"
VERIFY = "/accounts/login/verify/"


@pytest.mark.django_db
def test_customers_are_still_counted_while_redis_is_down(settings) -> None:
    person = new_person()
    device = enrolled(person)
    live = settings.REDIS_URL
    with time_machine.travel("2026-11-23T12:00:07Z", tick=False):
        statuses: list[int] = []
        for _ in range(3):
            client = Client()
            settings.REDIS_URL = live
            prove_password(client, person)
            settings.REDIS_URL = NO_REDIS
            statuses += [
                client.post(VERIFY, {"code": oathtool(device.open_seed(), ahead=50)}).status_code
                for _ in range(5)
            ]

    assert statuses[:10] == [422, 422, 422, 422, 303] * 2
    assert set(statuses[10:]) == {429}


@pytest.mark.django_db
def test_a_customer_can_sign_in_while_redis_is_down(client: Client, settings) -> None:
    person = new_person()
    device = enrolled(person)
    with time_machine.travel("2026-11-23T12:00:07Z", tick=False):
        prove_password(client, person)
        settings.REDIS_URL = NO_REDIS

        response = client.post(VERIFY, {"code": oathtool(device.open_seed())})

    assert response.status_code == 303


@pytest.mark.django_db
def test_staff_are_refused_while_redis_is_down(client: Client, settings) -> None:
    person = new_person("sam@kellexa.example", is_staff=True)
    device = enrolled(person)
    with time_machine.travel("2026-11-23T12:00:07Z", tick=False):
        prove_password(client, person)
        settings.REDIS_URL = NO_REDIS

        response = client.post(VERIFY, {"code": oathtool(device.open_seed())})

    assert response.status_code == 429
    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_the_walk_of_reencrypt_reaches_and_opens_every_seed(client: Client) -> None:
    person = new_person()
    prove_password(client, person)
    client.get(VERIFY)
    client.get("/accounts/login/enrol/")
    device = enrolled(new_person("bob@example.com"))

    columns = {column.model_label: column for column in sealed_columns()}
    seeds = {
        label: [
            open_sealed(bytes(row.sealed_seed), place=columns[label].place_of(row))
            for row in columns[label].rows()
        ]
        for label in ("mfa.TotpDevice", "mfa.Enrolment")
    }

    assert seeds["mfa.TotpDevice"] == [device.open_seed()]
    assert [len(seed) for seed in seeds["mfa.Enrolment"]] == [rules.SEED_BYTES]


@pytest.mark.django_db
def test_a_seed_sealed_for_another_person_does_not_open() -> None:
    ada, bob = new_person(), new_person("bob@example.com")
    device = enrolled(ada)
    foreign = Place(bob.public_id, "totp-seed", "mfa_totpdevice", "sealed_seed", device.public_id)
    TotpDevice.objects.filter(pk=device.pk).update(sealed_seed=seal(b"x" * 20, place=foreign))
    device.refresh_from_db()

    with pytest.raises(SealedValueError):
        device.open_seed()

"""People read times where they are."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories.accounts import user
from tests.factories.sign_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("zone", "shown"), [("Asia/Tokyo", "JST"), ("Etc/GMT-3", "+03"), ("no/zone", "UTC"), ("UTC", "UTC")]
)
def test_a_page_names_the_persons_zone(client: Client, zone: str, shown: str) -> None:
    sign_in(client, user(time_zone=zone))

    content = client.get("/accounts/sessions/").content.decode()

    assert shown in content


def test_the_next_request_is_not_in_anothers_zone(client: Client) -> None:
    sign_in(client, user(time_zone="Asia/Tokyo"))

    client.get("/accounts/sessions/")

    assert timezone.get_current_timezone_name() == "UTC"

"""The checkup says how each responsibility stands, and what to do next."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from tests.factories.credentials import aged, api_key, personal
from tests.factories.organizations import founder, member
from tests.factories.sign_in import sign_in, with_recovery_codes

pytestmark = pytest.mark.django_db

PAGE = "/accounts/"


def test_a_person_with_everything_in_order_is_told_so(client: Client) -> None:
    owner = founder()
    with_recovery_codes(owner.user)
    api_key(owner)
    sign_in(client, owner.user)

    content = client.get(PAGE).content.decode()

    assert "Nothing needs you today." in content
    assert "1 key, in order" in content


def test_few_recovery_codes_ask_for_new_ones(client: Client) -> None:
    owner = founder()
    with_recovery_codes(owner.user, count=3)
    sign_in(client, owner.user)

    content = client.get(PAGE).content.decode()

    assert "3 recovery codes left" in content
    assert "Make new recovery codes" in content


def test_a_key_near_its_end_needs_its_people(client: Client) -> None:
    owner = founder()
    with_recovery_codes(owner.user)
    aged(api_key(owner), created_ago=timedelta(days=80), lifetime=timedelta(days=90))
    sign_in(client, owner.user)

    content = client.get(PAGE).content.decode()

    assert "1 key to rotate" in content
    assert "1 of your responsibilities needs you." in content


def test_a_member_is_not_told_of_keys_they_may_not_see(client: Client) -> None:
    owner = founder()
    place = member(owner.organization)
    api_key(owner)
    personal(owner)
    sign_in(client, place.user)

    assert "No keys yet" in client.get(PAGE).content.decode()


def test_the_page_costs_the_same_with_many_keys(client: Client, django_assert_max_num_queries) -> None:
    owner = founder()
    sign_in(client, owner.user)
    for _ in range(8):
        api_key(owner)

    with django_assert_max_num_queries(14):
        client.get(PAGE)


def test_a_stranger_is_sent_to_sign_in(client: Client) -> None:
    response = client.get(PAGE)

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")

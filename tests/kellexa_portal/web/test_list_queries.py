"""A list costs the same number of queries however long it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.organizations.models import Membership
from accounts.rotation.actions import sweep
from kellexa_portal.core.actor import Actor
from tests.factories import accounts
from tests.factories.credentials import aged, api_key
from tests.factories.organizations import founder, member
from tests.factories.sign_in import sign_in

pytestmark = pytest.mark.django_db

FEW, MANY = 2, 7

CUSTOMER_LISTS = (
    "/accounts/keys/",
    "/accounts/organization/members/",
    "/accounts/organization/audit/",
    "/accounts/sessions/",
    "/accounts/activity/",
)
STAFF_LISTS = (
    "/admin/accounts/user/",
    "/admin/organizations/organization/",
    "/admin/organizations/membership/",
    "/admin/account_sessions/accountsession/",
    "/admin/mfa/totpdevice/",
    "/admin/credentials/apikey/",
    "/admin/rotation/reminder/",
    "/admin/mail/outboxmail/",
    "/admin/audit/event/",
)


def _fill(place: Membership, count: int) -> None:
    """Adds ``count`` people who are signed in, and as many keys that are due."""
    for _ in range(count):
        someone = member(place.organization)
        sign_in(Client(), someone.user)
        sign_in(Client(), place.user)
        aged(api_key(place), created_ago=timedelta(days=89, hours=20), lifetime=timedelta(days=90))
    sweep(actor=Actor.system("tests"))


def _cost(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def _costs(client: Client, paths: tuple[str, ...]) -> dict[str, int]:
    for path in paths:
        client.get(path)
    return {path: _cost(client, path) for path in paths}


@pytest.mark.parametrize(
    ("paths", "person"),
    [(CUSTOMER_LISTS, lambda place: place.user), (STAFF_LISTS, lambda place: accounts.staff())],
    ids=["customer", "staff"],
)
def test_lists_cost_the_same_at_two_sizes(
    client: Client, paths: tuple[str, ...], person: Callable[[Membership], object]
) -> None:
    place = founder()
    sign_in(client, person(place))
    _fill(place, FEW)
    before = _costs(client, paths)

    _fill(place, MANY)

    assert _costs(client, paths) == before

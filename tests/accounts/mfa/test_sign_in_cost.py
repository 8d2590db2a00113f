"""What a sign-in asks of the database, from its first page to the dashboard."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories.organizations import founder
from tests.factories.sign_in import PASSWORD, enrolled, new_person, oathtool

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
BOUNDS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE SAVEPOINT")

COSTS = {"page": 0, "password": 6, "second step": 5, "code": 32, "dashboard": 13}
"""Statements of each request from a new browser, but for the bounds of transactions.

The aim of twelve in all is not reached; this holds what was.
"""


def test_a_sign_in_asks_no_more_of_the_database_than_this() -> None:
    person = founder("Acme", owner=new_person()).user
    device, client = enrolled(person), Client()
    code = oathtool(device.open_seed())
    form = {"email": person.email, "password": PASSWORD}
    client.get("/accounts/login/")
    acts = {
        "page": lambda: client.get("/accounts/login/"),
        "password": lambda: client.post("/accounts/login/", form),
        "second step": lambda: client.get("/accounts/login/verify/"),
        "code": lambda: client.post("/accounts/login/verify/", {"code": code}),
        "dashboard": lambda: client.get("/accounts/"),
    }

    costs = {}
    for name, act in acts.items():
        with CaptureQueriesContext(connection) as asked:
            act()
        costs[name] = sum(not query["sql"].startswith(BOUNDS) for query in asked.captured_queries)

    assert client.get("/accounts/").status_code == 200
    assert costs == COSTS

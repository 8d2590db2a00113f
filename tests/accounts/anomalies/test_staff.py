"""The staff's list of findings: read by those who watch, changed by nobody."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.anomalies.models import Anomaly
from accounts.identity.models import StaffAssignment, User
from tests.accounts.anomalies.past import AWAY_IP, NOON, found, swept, wrong_code, wrong_password
from tests.factories import accounts
from tests.factories.sign_in import sign_in

pytestmark = pytest.mark.django_db

LIST = "/admin/anomalies/anomaly/"
Role = StaffAssignment.Role


@pytest.fixture
def findings(ada: User) -> list[Anomaly]:
    for _number in range(3):
        wrong_code(ada)
    for _number in range(20):
        wrong_password(None)
    swept(at=NOON)
    return found("mfa_guess") + found("stuffing")


def staff(client: Client, role: str) -> Client:
    sign_in(client, accounts.staff(role))
    return client


@pytest.mark.parametrize(
    "role", [Role.ADMINISTRATOR, Role.INCIDENT_COMMANDER, Role.PLATFORM_AUDITOR, Role.DPO]
)
def test_those_who_watch_see_the_findings(
    client: Client, ada: User, findings: list[Anomaly], role: str
) -> None:
    staff(client, role)

    page = client.get(LIST).content.decode()

    assert "Many accounts tried" in page
    assert AWAY_IP in page
    assert "Codes guessed after the password" in page
    assert client.get(f"{LIST}{findings[0].pk}/change/").status_code == 200
    assert LIST in client.get("/admin/").content.decode()


def test_a_reviewer_of_access_and_a_customer_do_not(
    client: Client, ada: User, findings: list[Anomaly]
) -> None:
    assert staff(client, Role.ACCESS_REVIEWER).get(LIST).status_code == 403
    customer = Client()
    sign_in(customer, ada)
    assert customer.get(LIST).status_code == 404


def test_nobody_adds_changes_or_deletes(client: Client, findings: list[Anomaly]) -> None:
    staff(client, Role.ADMINISTRATOR)
    pk = findings[0].pk

    assert client.post(f"{LIST}add/", {"rule": "drift"}).status_code == 403
    assert client.post(f"{LIST}{pk}/change/", {"rule": "drift"}).status_code == 403
    assert client.post(f"{LIST}{pk}/delete/", {"post": "yes"}).status_code == 403
    assert Anomaly.objects.get(pk=pk).rule == "mfa_guess"

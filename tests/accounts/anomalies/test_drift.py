"""A session that changes its browser and its network within minutes is somebody else's."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from accounts.anomalies import places
from accounts.identity.models import User
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream
from kellexa_portal.mail import body
from tests.accounts.anomalies.past import (
    AWAY_IP,
    FIREFOX,
    HOME_IP,
    MINUTE,
    NOON,
    SAFARI,
    SECOND,
    found,
    mails,
    signed_in,
)
from tests.factories.audit_support import recorded

pytestmark = pytest.mark.django_db

PAGE = "/accounts/mfa/"


@pytest.fixture
def session(client: Client, ada: User) -> AccountSession:
    return signed_in(ada, client=client)


def visit(client: Client, *, ip: str = HOME_IP, agent: str = FIREFOX) -> HttpResponse:
    return client.get(PAGE, REMOTE_ADDR=ip, headers={"user-agent": agent})


def test_another_browser_in_another_network_ends_the_session_before_it_sees_anything(
    client: Client, ada: User, session: AccountSession
) -> None:
    stolen = visit(client, ip=AWAY_IP, agent=SAFARI)

    assert stolen.status_code == 302
    session.refresh_from_db()
    assert session.ended_at == NOON
    assert visit(client).status_code == 302
    [anomaly] = found("drift")
    assert (anomaly.user, anomaly.session_id_shown, anomaly.action) == (ada, session.public_id, "ended")
    [mail] = mails("drift")
    assert "was ended at once" in body.of(mail).text
    assert {"session.revoke", "anomaly.drift"} <= set(recorded(Stream.user(ada.public_id)))


@pytest.mark.parametrize(
    ("ip", "agent"),
    [(AWAY_IP, FIREFOX), (HOME_IP, SAFARI), ("198.51.100.250", SAFARI)],
    ids=["network-alone", "browser-alone", "same-network-of-256"],
)
def test_one_of_the_two_may_change(client: Client, session: AccountSession, ip: str, agent: str) -> None:
    assert visit(client, ip=ip, agent=agent).status_code == 200
    assert not found("drift")


@pytest.mark.parametrize(
    ("gap", "is_odd"),
    [(10 * MINUTE - SECOND, True), (10 * MINUTE, False)],
    ids=["within-ten-minutes", "after-ten-minutes"],
)
def test_ten_minutes_decide(
    client: Client,
    session: AccountSession,
    clock: time_machine.Traveller,
    gap: timedelta,
    is_odd: bool,
) -> None:
    clock.shift(gap)

    assert (visit(client, ip=AWAY_IP, agent=SAFARI).status_code == 302) is is_odd
    assert bool(found("drift")) is is_odd


def test_the_ten_minutes_run_from_the_last_visit(
    client: Client, session: AccountSession, clock: time_machine.Traveller
) -> None:
    clock.shift(8 * MINUTE)
    assert visit(client).status_code == 200
    clock.shift(8 * MINUTE)

    assert visit(client, ip=AWAY_IP, agent=SAFARI).status_code == 302


def test_the_owner_who_moved_is_not_taken_for_the_thief(
    client: Client, session: AccountSession, clock: time_machine.Traveller
) -> None:
    for _minute in range(3):
        clock.shift(2 * MINUTE)
        assert visit(client, ip=AWAY_IP).status_code == 200
        clock.shift(2 * MINUTE)
        assert visit(client).status_code == 200


def test_the_drift_of_another_person_ends_nothing_here(
    client: Client, session: AccountSession, bob: User
) -> None:
    theirs = Client()
    signed_in(bob, client=theirs)

    assert visit(theirs, ip=AWAY_IP, agent=SAFARI).status_code == 302
    assert visit(client).status_code == 200


def test_networks_of_one_operator_are_one_where_the_operator_is_known(
    client: Client, session: AccountSession, tmp_path: Path, settings: Any
) -> None:
    path = tmp_path / "operators.mmdb"
    writer = MMDBWriter(ip_version=4, database_type="GeoLite2-ASN")
    record = {"autonomous_system_number": 64500}
    writer.insert_network(IPSet(["198.51.100.0/24", "203.0.113.0/24"]), record)
    writer.to_db_file(str(path))
    settings.GEOIP_ASN_DATABASE = str(path)

    assert visit(client, ip=AWAY_IP, agent=SAFARI).status_code == 200
    assert visit(client, ip="192.0.2.1", agent=SAFARI).status_code == 302
    places._opened.cache_clear()


def test_a_request_that_did_not_move_costs_no_query_more(
    client: Client, session: AccountSession, django_assert_num_queries: Any
) -> None:
    from accounts.anomalies.actions import judge_move

    with django_assert_num_queries(0):
        assert not judge_move(session=session, device=session.device, ip_prefix="203.0.113.0/24")

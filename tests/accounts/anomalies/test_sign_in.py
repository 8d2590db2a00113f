"""What is judged inside a sign-in: failures before it, a long silence, a journey nobody makes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core import checks
from django.test import Client
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from accounts.anomalies import places
from accounts.anomalies.models import Anomaly
from accounts.identity.models import User
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream
from kellexa_portal.mail import body
from tests.accounts.anomalies.past import (
    AWAY_IP,
    BIT,
    DAY,
    FIREFOX,
    HOME_IP,
    HOUR,
    MINUTE,
    NOON,
    SAFARI,
    found,
    mails,
    signed_in,
    wrong_code,
    wrong_password,
    wrong_recovery_code,
)
from tests.factories.audit_support import recorded

pytestmark = pytest.mark.django_db

CLOSED_BY_FACTOR = "/accounts/keys/create/"
BERLIN = {"location": {"latitude": 52.52, "longitude": 13.405, "accuracy_radius": 20}}
BERLIN |= {"city": {"names": {"en": "Berlin"}}, "country": {"names": {"en": "Germany"}}}
SYDNEY = {"location": {"latitude": -33.87, "longitude": 151.21, "accuracy_radius": 20}}
SYDNEY |= {"country": {"names": {"en": "Australia"}}}


def is_asked_again(client: Client) -> bool:
    """Whether a page that wants a recent factor asks for one."""
    answer = client.get(CLOSED_BY_FACTOR, REMOTE_ADDR=HOME_IP, headers={"user-agent": FIREFOX})
    return answer.status_code == 303 and "/accounts/verify/" in answer["Location"]


def is_fresh(session: AccountSession) -> bool:
    session.refresh_from_db()
    return session.factor_at is not None and session.proof_at == NOON


# --- Success after failures ------------------------------------------------------------------------


def fail(user: User, count: int, *, ago: timedelta = MINUTE) -> None:
    for _number in range(count):
        wrong_password(user, at=NOON - ago)


def test_a_sign_in_after_ten_failures_is_told_and_has_to_show_a_factor_again(ada: User) -> None:
    fail(ada, 8)
    wrong_code(ada, at=NOON - MINUTE)
    wrong_recovery_code(ada, at=NOON - MINUTE)

    session = signed_in(ada)

    [anomaly] = found("after_failures")
    assert (anomaly.user, anomaly.session_id_shown, anomaly.action) == (ada, session.public_id, "proof")
    assert not is_fresh(session)
    [mail] = mails("after_failures")
    assert mail.recipient == ada.email
    assert "many sign-ins that failed" in body.of(mail).text
    assert "/accounts/activity/" in body.of(mail).text
    assert "anomaly.after_failures" in recorded(Stream.user(ada.public_id))


def test_after_nine_failures_nothing_is_odd(ada: User) -> None:
    fail(ada, 9)

    session = signed_in(ada)

    assert not Anomaly.objects.exists()
    assert is_fresh(session)


def test_the_page_that_wants_a_factor_asks_for_one_again(ada: User, client: Client) -> None:
    signed_in(ada, client=client)
    assert not is_asked_again(client)

    fail(ada, 10)
    signed_in(ada, client=client)

    assert is_asked_again(client)


@pytest.mark.parametrize(("ago", "is_odd"), [(HOUR - BIT, True), (HOUR, False)], ids=["within", "older"])
def test_failures_count_for_an_hour(ada: User, ago: timedelta, is_odd: bool) -> None:
    fail(ada, 9)
    fail(ada, 1, ago=ago)

    signed_in(ada)

    assert bool(found("after_failures")) is is_odd


def test_failures_of_others_and_of_a_step_up_do_not_count(ada: User, bob: User) -> None:
    fail(ada, 5)
    fail(bob, 10)
    for _number in range(10):
        wrong_code(ada, at=NOON - MINUTE, session="0199-signed-in")
        wrong_password(None, at=NOON - MINUTE)

    signed_in(ada)

    assert not found("after_failures")


def test_each_session_opened_in_that_hour_is_judged_the_owners_first_does_not_hide_the_thiefs(
    ada: User,
) -> None:
    fail(ada, 10)

    sessions = [signed_in(ada), signed_in(ada, at=NOON + MINUTE, ip=AWAY_IP)]

    assert [anomaly.session_id_shown for anomaly in found("after_failures")] == [
        session.public_id for session in sessions
    ]
    assert len(mails("after_failures")) == 2


def test_judging_a_sign_in_takes_one_statement_more_where_nothing_is_odd(
    ada: User, django_assert_num_queries: Any
) -> None:
    from accounts.anomalies.actions import judge_sign_in

    fail(ada, 50)
    session = signed_in(ada, at=NOON + 2 * HOUR)
    session.user = ada

    with django_assert_num_queries(3):  # the statement between a savepoint and its release
        assert judge_sign_in(session=session, is_new_device=True) == []


# --- Dormant ---------------------------------------------------------------------------------------


def born(user: User, at: datetime) -> None:
    User.objects.filter(pk=user.pk).update(created_at=at)


@pytest.mark.parametrize(
    ("ago", "is_odd"), [(180 * DAY + BIT, True), (180 * DAY, False)], ids=["more-than-180-days", "180-days"]
)
def test_a_sign_in_after_a_long_time_is_told(ada: User, ago: timedelta, is_odd: bool) -> None:
    born(ada, NOON - 400 * DAY)
    signed_in(ada, at=NOON - ago)
    Anomaly.objects.all().delete()
    before = len(mails("dormant"))

    session = signed_in(ada)

    assert bool(found("dormant")) is is_odd
    assert len(mails("dormant")) - before == is_odd
    assert is_fresh(session) is not is_odd


@pytest.mark.parametrize(("age", "is_odd"), [(181 * DAY, True), (DAY, False)], ids=["old", "new"])
def test_an_account_that_nobody_ever_used_counts_from_its_birth(
    ada: User, age: timedelta, is_odd: bool
) -> None:
    born(ada, NOON - age)

    signed_in(ada)

    assert bool(found("dormant")) is is_odd


def test_the_sign_in_of_another_person_wakes_nobody(ada: User, bob: User) -> None:
    born(ada, NOON - 400 * DAY)
    signed_in(bob, at=NOON - DAY)

    signed_in(ada)

    [anomaly] = found("dormant")
    assert anomaly.user == ada


# --- Travel ----------------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A database in which home lies in Berlin and away in Sydney, made by a writer of others."""
    path = tmp_path / "places.mmdb"
    write(path, {HOME_IP: BERLIN, AWAY_IP: SYDNEY})
    settings.GEOIP_DATABASE = str(path)
    yield path
    places._opened.cache_clear()


def write(path: Path, records: dict[str, Any]) -> None:
    writer = MMDBWriter(ip_version=4, database_type="GeoLite2-City", float_type="f64")
    for address, record in records.items():
        writer.insert_network(IPSet([places.ip_network((address, 24), strict=False).with_prefixlen]), record)
    writer.to_db_file(str(path))


def test_a_new_device_on_the_other_side_of_the_earth_an_hour_later_is_told(ada: User, world: Path) -> None:
    signed_in(ada, at=NOON - HOUR)

    session = signed_in(ada, ip=AWAY_IP, agent=SAFARI)

    [anomaly] = found("travel")
    assert anomaly.facts["km"] == pytest.approx(16050, abs=50)
    assert anomaly.facts["hours"] == 1
    assert not is_fresh(session)
    [mail] = mails("travel")
    text = body.of(mail).text
    assert "Berlin, Germany" in text
    assert "Australia" in text
    assert "anomaly.travel" in recorded(Stream.user(ada.public_id))


def test_the_places_are_in_the_row_that_is_forgotten_and_not_in_the_evidence(ada: User, world: Path) -> None:
    from kellexa_portal.audit.models import Event

    signed_in(ada, at=NOON - HOUR)
    signed_in(ada, ip=AWAY_IP, agent=SAFARI)

    event = Event.objects.get(name="anomaly.travel")
    assert "Berlin" not in str(event.changes)
    assert event.changes["hours"] == "1.0"


@pytest.mark.parametrize(("hours", "is_odd"), [(16, True), (16.2, False)], ids=["too-fast", "by-aeroplane"])
def test_the_speed_decides(ada: User, world: Path, hours: float, is_odd: bool) -> None:
    signed_in(ada, at=NOON - hours * HOUR)

    signed_in(ada, ip=AWAY_IP, agent=SAFARI)

    assert bool(found("travel")) is is_odd


def test_the_last_visit_counts_not_the_last_sign_in(ada: User, world: Path) -> None:
    before = signed_in(ada, at=NOON - DAY)
    AccountSession.objects.filter(pk=before.pk).update(last_seen_at=NOON - HOUR)

    signed_in(ada, ip=AWAY_IP, agent=SAFARI)

    assert found("travel")


def test_a_device_that_was_seen_there_lately_may_travel(ada: User, world: Path) -> None:
    signed_in(ada, at=NOON - 30 * DAY, ip=AWAY_IP, agent=SAFARI)
    signed_in(ada, at=NOON - HOUR)

    signed_in(ada, ip=AWAY_IP, agent=SAFARI)

    assert not found("travel")


def test_the_whereabouts_of_another_person_say_nothing(ada: User, bob: User, world: Path) -> None:
    signed_in(bob, at=NOON - HOUR)
    signed_in(ada, at=NOON - 10 * DAY)

    signed_in(ada, ip=AWAY_IP, agent=SAFARI)

    assert not found("travel")


@pytest.mark.parametrize("case", ["no-database", "unknown-address", "gone", "garbage"])
def test_where_a_place_is_unknown_the_sign_in_goes_on(
    ada: User, world: Path, settings: Any, case: str
) -> None:
    if case == "no-database":
        settings.GEOIP_DATABASE = ""
    elif case == "gone":
        world.unlink()
    elif case == "garbage":
        world.write_bytes(b"\0" * 2048)
    signed_in(ada, at=NOON - HOUR)

    session = signed_in(ada, ip="192.0.2.200" if case == "unknown-address" else AWAY_IP, agent=SAFARI)

    assert session.pk
    assert not found("travel")
    is_broken = case in {"gone", "garbage"}
    assert bool(places.check_databases(None)) is is_broken
    assert bool([one for one in checks.run_checks() if one.id == "anomalies.E001"]) is is_broken


def test_a_database_that_was_replaced_is_read_anew(ada: User, world: Path) -> None:
    assert places.place_of(HOME_IP).name == "Berlin, Germany"  # type: ignore[union-attr]

    other = world.with_suffix(".new")
    write(other, {HOME_IP: SYDNEY})
    os.utime(other, ns=(1, 1))
    other.rename(world)

    assert places.place_of(HOME_IP).name == "Australia"  # type: ignore[union-attr]


# --- Any of them ------------------------------------------------------------------------------------


def test_a_sign_in_may_be_odd_in_more_than_one_way(
    ada: User, world: Path, clock: time_machine.Traveller
) -> None:
    signed_in(ada, at=NOON - HOUR)
    fail(ada, 10)

    signed_in(ada, ip=AWAY_IP, agent=SAFARI)

    assert len(found("travel")) == len(found("after_failures")) == 1

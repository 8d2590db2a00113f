"""Each rule on both sides of each of its thresholds; no clock, no database."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from accounts.anomalies import rules
from accounts.anomalies.rules import THRESHOLDS, Attempt, Change, Sighting

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BIT = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DEGREE_KM = 111.19492664455873  # along the equator of a sphere with the earth's mean radius


def at_equator(km: float, *, radius: float | None = 0.0, at: datetime = NOON) -> Sighting:
    return Sighting(0.0, km / DEGREE_KM, radius, at)


def test_a_degree_of_the_equator_and_the_way_to_the_antipodes_are_as_long_as_geometry_says() -> None:
    assert rules.distance_km(at_equator(0), Sighting(0, 1, 0, NOON)) == pytest.approx(DEGREE_KM)
    assert rules.distance_km(at_equator(0), Sighting(0, 180, 0, NOON)) == pytest.approx(180 * DEGREE_KM)
    berlin, paris = Sighting(52.52, 13.405, 0, NOON), Sighting(48.8566, 2.3522, 0, NOON)
    assert rules.distance_km(berlin, paris) == pytest.approx(878, abs=2)


@pytest.mark.parametrize(
    ("km", "after", "is_odd"),
    [
        pytest.param(501, timedelta(0), True, id="just-farther-than-500-km"),
        pytest.param(499, timedelta(0), False, id="just-nearer-than-500-km"),
        pytest.param(2001, 2 * HOUR, True, id="just-faster-than-1000-km-an-hour"),
        pytest.param(1999, 2 * HOUR, False, id="just-slower-than-1000-km-an-hour"),
        pytest.param(1501, 90 * MINUTE, True, id="hours-are-not-whole-faster"),
        pytest.param(1499, 90 * MINUTE, False, id="hours-are-not-whole-slower"),
        pytest.param(9000, -HOUR, False, id="clock-set-back"),
    ],
)
def test_travel_is_too_far_and_too_fast(km: float, after: timedelta, is_odd: bool) -> None:
    assert rules.is_travel(at_equator(0), at_equator(km, at=NOON + after)) is is_odd


@pytest.mark.parametrize(
    ("radii", "is_odd"),
    [((200, 299), True), ((200, 301), False), ((0, None), False)],
    ids=["far-apart-at-the-least", "perhaps-nearer", "accuracy-unknown"],
)
def test_accuracy_speaks_for_the_person(radii: tuple[float, float | None], is_odd: bool) -> None:
    assert rules.is_travel(at_equator(0, radius=radii[0]), at_equator(1000, radius=radii[1])) is is_odd


def attempts(count: int, *, every: timedelta, network: str = "192.0.2.1") -> list[Attempt]:
    return [Attempt(NOON + number * every, network, f"account {number}") for number in range(count)]


@pytest.mark.parametrize(
    ("tries", "found"),
    [
        pytest.param(attempts(20, every=timedelta(seconds=1)), 1, id="twenty-accounts"),
        pytest.param(attempts(19, every=timedelta(seconds=1)), 0, id="nineteen-accounts"),
        pytest.param(attempts(20, every=(10 * MINUTE - BIT) / 19), 1, id="within-ten-minutes"),
        pytest.param(attempts(20, every=10 * MINUTE / 19 + BIT), 0, id="in-ten-minutes-and-a-bit"),
        pytest.param(attempts(19, every=BIT) * 2, 0, id="one-account-counts-once"),
        pytest.param(
            attempts(10, every=BIT) + attempts(20, every=BIT, network="192.0.2.2")[10:],
            0,
            id="two-networks-are-not-added",
        ),
        pytest.param(attempts(40, every=BIT, network=""), 0, id="unknown-network-is-no-network"),
    ],
)
def test_many_accounts_from_one_network(tries: list[Attempt], found: int) -> None:
    assert len(rules.stuffing(tries)) == found


def test_an_attack_that_goes_on_is_told_once_a_period() -> None:
    tries = attempts(180, every=10 * timedelta(seconds=1))

    found = rules.stuffing(tries)

    assert [burst.at for burst in found] == [NOON + timedelta(seconds=190 + 600 * n) for n in range(3)]


@pytest.mark.parametrize(
    ("failures", "baseline", "is_flood"),
    [
        (200, 0.0, True),
        (199, 0.0, False),
        (301, 100.0, True),
        (300, 100.0, False),
    ],
    ids=["two-hundred", "one-fewer", "over-three-times-the-usual", "three-times-the-usual"],
)
def test_failures_of_all_networks_together(failures: int, baseline: float, is_flood: bool) -> None:
    assert rules.is_flood(failures, baseline=baseline) is is_flood


def test_the_fullest_period_is_found_wherever_it_begins() -> None:
    times = [NOON, NOON + 9 * MINUTE, NOON + 11 * MINUTE, NOON + 18 * MINUTE, NOON + 40 * MINUTE]

    found = rules.peak(times, within=10 * MINUTE)

    assert found is not None
    assert (found.count, found.at) == (3, NOON + 18 * MINUTE)
    assert rules.peak([], within=MINUTE) is None
    assert rules.peak([NOON, NOON + 10 * MINUTE], within=10 * MINUTE).count == 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("ages", "is_odd"),
    [
        pytest.param([MINUTE] * 10, True, id="ten"),
        pytest.param([MINUTE] * 9, False, id="nine"),
        pytest.param([MINUTE] * 9 + [HOUR - BIT], True, id="the-tenth-just-within-an-hour"),
        pytest.param([MINUTE] * 9 + [HOUR], False, id="the-tenth-an-hour-old"),
        pytest.param([-HOUR] * 10, True, id="clock-set-back"),
    ],
)
def test_success_after_failures(ages: list[timedelta], is_odd: bool) -> None:
    assert rules.follows_failures([NOON - age for age in ages], signed_in_at=NOON) is is_odd


@pytest.mark.parametrize(
    ("ages", "found"),
    [
        pytest.param([0, 1, 2], 1, id="three"),
        pytest.param([0, 1], 0, id="two"),
        pytest.param([0, 1, 60], 0, id="the-third-an-hour-later"),
        pytest.param([0, 1, 59], 1, id="the-third-within-the-hour"),
        pytest.param([0, 59, 60, 61], 1, id="over-the-end-of-an-hour"),
    ],
)
def test_codes_guessed(ages: list[int], found: int) -> None:
    times = [NOON + age * MINUTE for age in ages]

    least, within = THRESHOLDS.mfa_guess_least, THRESHOLDS.mfa_guess_period

    assert len(rules.bursts("somebody", times, least=least, within=within)) == found


SAME, OTHER = ("a", "a"), ("a", "b")


@pytest.mark.parametrize(
    ("device", "network", "age", "is_odd"),
    [
        pytest.param(OTHER, OTHER, 10 * MINUTE - BIT, True, id="both-within-ten-minutes"),
        pytest.param(OTHER, OTHER, 10 * MINUTE, False, id="both-after-ten-minutes"),
        pytest.param(SAME, OTHER, MINUTE, False, id="the-network-alone"),
        pytest.param(OTHER, SAME, MINUTE, False, id="the-browser-alone"),
        pytest.param(OTHER, OTHER, -HOUR, True, id="clock-set-back"),
    ],
)
def test_a_session_drifts(
    device: tuple[str, str], network: tuple[str, str], age: timedelta, is_odd: bool
) -> None:
    assert rules.is_drift(device=device, network=network, last_seen_at=NOON - age, now=NOON) is is_odd


@pytest.mark.parametrize(
    ("age", "is_odd"),
    [
        (timedelta(days=180) + BIT, True),
        (timedelta(days=180), False),
        (timedelta(days=-1), False),
    ],
    ids=["more-than-180-days", "180-days", "clock-set-back"],
)
def test_a_dormant_account(age: timedelta, is_odd: bool) -> None:
    assert rules.is_dormant(NOON - age, now=NOON) is is_odd


@pytest.mark.parametrize(
    ("changes", "is_odd"),
    [
        pytest.param([(1, "key"), (2, "factor")], True, id="two-kinds"),
        pytest.param([(2, "factor"), (1, "key")], True, id="in-any-order"),
        pytest.param([(1, "key"), (2, "key")], False, id="one-kind-twice"),
        pytest.param([(1, "email")], False, id="one-kind"),
        pytest.param([(1, "email"), (29.99, "key")], True, id="just-within-half-an-hour"),
        pytest.param([(1, "email"), (30, "key")], False, id="half-an-hour-after"),
        pytest.param([(-0.01, "email"), (1, "key")], False, id="before-the-sign-in"),
        pytest.param([(0, "email"), (1, "key")], True, id="with-the-sign-in"),
    ],
)
def test_a_takeover_chain(changes: list[tuple[float, str]], is_odd: bool) -> None:
    made = [Change(NOON + minutes * MINUTE, kind) for minutes, kind in changes]

    assert (rules.takeover_at(made, signed_in_at=NOON) is not None) is is_odd


def test_windows_tile_time() -> None:
    within = 10 * MINUTE
    assert rules.window_of(NOON, within=within) == NOON
    assert rules.window_of(NOON + within - BIT, within=within) == NOON
    assert rules.window_of(NOON + within, within=within) == NOON + within
    assert rules.window_of(NOON - BIT, within=within) == NOON - within


def test_the_decision_record_shows_the_table_as_it_runs() -> None:
    text = (Path(__file__).parents[3] / "docs" / "adr" / "0014-anomalies.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+_\w+)` \| ([^|]+?) \|", text, flags=re.MULTILINE))

    assert rows == {field.name: shown(getattr(THRESHOLDS, field.name)) for field in fields(THRESHOLDS)}


def shown(value: object) -> str:
    if not isinstance(value, timedelta):
        return f"{value:g}"
    units = [(timedelta(days=2), timedelta(days=1), "d"), (2 * HOUR, HOUR, "h")]
    for least, unit, name in units:
        if value >= least:
            return f"{value / unit:g} {name}"
    return f"{value / MINUTE:g} min"

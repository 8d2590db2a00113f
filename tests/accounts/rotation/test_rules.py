"""When a credential is due and who is told, as arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rotation import rules

NOW = datetime(2026, 5, 20, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_credential_is_due_at_its_expiry_or_its_greatest_age_whichever_is_first() -> None:
    by_age = rules.due_at(created_at=NOW, expires_at=NOW + 300 * DAY, max_age=90 * DAY)
    by_expiry = rules.due_at(created_at=NOW, expires_at=NOW + 30 * DAY, max_age=90 * DAY)
    forever = rules.due_at(created_at=NOW, expires_at=None, max_age=90 * DAY)

    assert by_age == NOW + 90 * DAY
    assert by_expiry == NOW + 30 * DAY
    assert forever == NOW + 90 * DAY


@pytest.mark.parametrize(
    ("left", "stage"),
    [
        (31 * DAY, None),
        (30 * DAY, 30),
        (14 * DAY + timedelta(seconds=1), 30),
        (14 * DAY, 14),
        (6 * DAY, 7),
        (2 * DAY, 3),
        (DAY, 1),
        (timedelta(0), 0),
        (-6 * DAY, 0),
        (-7 * DAY, -7),
        (-15 * DAY, -14),
    ],
)
def test_only_the_most_urgent_stage_reached_counts(left: timedelta, stage: int | None) -> None:
    assert rules.stage_at(due_at=NOW + left, now=NOW, stages=rules.STAGES) == stage


@given(
    st.integers(min_value=-400 * 86400, max_value=60 * 86400), st.integers(min_value=0, max_value=86400 * 30)
)
def test_time_never_makes_a_stage_less_urgent(left: int, later: int) -> None:
    due = NOW + timedelta(seconds=left)

    before = rules.stage_at(due_at=due, now=NOW, stages=rules.STAGES)
    after = rules.stage_at(due_at=due, now=NOW + timedelta(seconds=later), stages=rules.STAGES)

    assert before is None or (after is not None and after <= before)


def test_the_circle_grows_as_the_end_comes_near() -> None:
    assert [rules.audience_of(stage) for stage in (30, 14, 7, 3, 1, 0, -7)] == [0, 0, 1, 2, 2, 2, 2]


def test_nobody_switches_off_the_last_days() -> None:
    assert rules.stages_with_mandatory([]) == [3, 1, 0]
    assert rules.stages_with_mandatory([14, 99]) == [14, 3, 1, 0]


@pytest.mark.parametrize(
    ("zone", "instant", "is_time"),
    [
        ("Europe/Vienna", datetime(2026, 5, 20, 6, 59, tzinfo=UTC), False),
        ("Europe/Vienna", datetime(2026, 5, 20, 7, 0, tzinfo=UTC), True),
        ("Europe/Vienna", datetime(2026, 12, 16, 7, 30, tzinfo=UTC), False),
        ("Pacific/Auckland", datetime(2026, 5, 22, 21, 30, tzinfo=UTC), False),
        ("America/Los_Angeles", datetime(2026, 5, 23, 1, 0, tzinfo=UTC), True),
        ("no/such zone", datetime(2026, 5, 20, 9, 0, tzinfo=UTC), True),
    ],
)
def test_digests_wait_for_nine_on_a_weekday_where_the_person_is(
    zone: str,
    instant: datetime,
    is_time: bool,
) -> None:
    moment = rules.moment_in(zone, instant)

    assert rules.is_digest_time(moment) is is_time


def test_a_day_without_nine_o_clock_does_not_exist_and_a_long_one_has_one_date() -> None:
    first = rules.moment_in("Europe/Vienna", datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    second = rules.moment_in("Europe/Vienna", datetime(2026, 10, 25, 1, 30, tzinfo=UTC))

    assert first.time == second.time == time(2, 30)
    assert first.date == second.date

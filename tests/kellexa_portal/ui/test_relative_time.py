"""How far an instant is from now, in whole sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kellexa_portal.ui.relative import relative

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("distance", "sentence"),
    [
        (timedelta(), "just now"),
        (timedelta(seconds=-59), "just now"),
        (timedelta(seconds=30), "in less than a minute"),
        (timedelta(seconds=-60), "1 minute ago"),
        (timedelta(minutes=-3), "3 minutes ago"),
        (timedelta(minutes=-119), "1 hour ago"),
        (timedelta(hours=5), "in 5 hours"),
        (timedelta(hours=-47), "1 day ago"),
        (timedelta(days=14), "in 14 days"),
        (timedelta(days=-30), "1 month ago"),
        (timedelta(days=400), "in 1 year"),
        (timedelta(days=-730), "2 years ago"),
    ],
)
def test_the_largest_whole_unit_is_named(distance, sentence):
    assert relative(NOW + distance, now=NOW) == sentence

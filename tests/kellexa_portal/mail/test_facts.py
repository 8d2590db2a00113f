"""The table of a mail names instants in the reader's zone, and where an act came from."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from kellexa_portal.core import context
from kellexa_portal.core.context import RequestContext
from kellexa_portal.mail import facts

AT = datetime(2026, 7, 3, 22, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "3 July 2026, 22:05 UTC"),
        ("Europe/Berlin", "4 July 2026, 00:05 CEST"),
        ("Asia/Kathmandu", "4 July 2026, 03:50 +0545"),
    ],
)
def test_a_moment_is_told_in_the_readers_zone_and_names_it(zone: str, text: str) -> None:
    assert facts.moment(AT, ZoneInfo(zone)) == text


def test_without_a_zone_the_active_one_counts() -> None:
    with timezone.override(ZoneInfo("America/New_York")):
        assert facts.moment(AT) == "3 July 2026, 18:05 EDT"


def test_the_short_style_is_the_one_of_the_pages() -> None:
    assert facts.moment(AT, ZoneInfo("Europe/Berlin"), style=facts.SHORT) == "4 Jul 2026, 00:05 CEST"


def test_an_account_is_named_with_the_present_moment() -> None:
    with time_machine.travel(AT, tick=False):
        told = facts.account("ada@acme.example", ZoneInfo("UTC"))

    assert told == [("Account", "ada@acme.example"), ("When", "3 July 2026, 22:05 UTC")]


def test_the_address_is_told_only_where_a_request_is_the_cause() -> None:
    with context.bound(RequestContext(ip="192.0.2.7")):
        asked = facts.origin()
    with context.bound(RequestContext()):
        swept = facts.origin()

    assert (asked, swept) == ([("From address", "192.0.2.7")], [])

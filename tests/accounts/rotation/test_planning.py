"""What planning decides in SQL is what the rules decide in Python."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.credentials.models import ApiKey, ApiKeyContact
from accounts.organizations.models import Membership
from accounts.rotation import planning, rules
from accounts.rotation.api_keys import API_KEYS, TELL_OF_THE_END_FOR
from accounts.rotation.models import Reminder, RotationPolicy
from accounts.rotation.rules import Audience
from tests.factories.organizations import founder, member

pytestmark = pytest.mark.django_db

KEYS = 48
DAY = timedelta(days=1)
INSTANT = st.timedeltas(min_value=0 * DAY, max_value=730 * DAY).map(
    lambda since: datetime(2026, 1, 1, tzinfo=UTC) + since
)
#: Any distance, and often one that lies on the border of a stage or a microsecond beside it.
LEFT = st.timedeltas(min_value=-6 * DAY, max_value=120 * DAY) | st.builds(
    lambda days, beside: days * DAY + timedelta(microseconds=beside),
    st.sampled_from((*rules.STAGES, -6)),
    st.sampled_from((-1, 0, 1)),
)
AGE = st.timedeltas(min_value=7 * DAY, max_value=500 * DAY) | st.builds(
    lambda limit, stage: (limit - stage) * DAY,
    st.sampled_from(rules.MAX_AGE_CHOICES),
    st.sampled_from((*rules.MANDATORY_STAGES, *rules.OVERDUE_STAGES[:4])),
)


class Life(NamedTuple):
    """A key by its age and the time that it has left."""

    age: timedelta
    left: timedelta


class Place(NamedTuple):
    """An organization in which each circle of readers is another person."""

    circles: dict[Audience, Membership]
    max_age: timedelta
    stages: list[int]


def _place(max_age_days: int | None = None, stages: list[int] | None = None) -> Place:
    owner = founder()
    circles = {
        Audience.OWNER: member(owner.organization, Membership.Role.SECURITY),
        Audience.CONTACTS: member(owner.organization),
        Audience.ORGANIZATION_OWNERS: owner,
    }
    if max_age_days is None or stages is None:
        return Place(circles, rules.DEFAULT_MAX_AGE_DAYS * DAY, list(rules.STAGES))
    RotationPolicy.objects.create(organization=owner.organization, max_age_days=max_age_days, stages=stages)
    return Place(circles, max_age_days * DAY, stages)


def _key(place: Place, life: Life, now: datetime) -> ApiKey:
    owner = place.circles[Audience.OWNER]
    return ApiKey(
        organization=owner.organization,
        owner=owner.user,
        kind=ApiKey.Kind.SERVICE,
        environment=ApiKey.Environment.LIVE,
        name="Key",
        hash=b"",
        seal=b"",
        created_at=now - life.age,
        expires_at=now + life.left,
    )


def _expected(place: Place, key: ApiKey, now: datetime) -> set[tuple[str, datetime, int, int]]:
    due = rules.due_at(created_at=key.created_at, expires_at=key.expires_at, max_age=place.max_age)
    stage = rules.stage_at(due_at=due, now=now, stages=place.stages, has_ended=key.expires_at <= now)
    if stage is None:
        return set()
    widest = rules.audience_of(stage)
    return {
        (key.key_id, due, stage, reader.user_id)
        for circle, reader in place.circles.items()
        if circle <= widest
    }


@pytest.fixture
def places() -> list[Place]:
    return [_place(), _place(60, [14, 3, 1, 0]), _place(365, [3, 1, 0])]


@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(now=INSTANT, lives=st.lists(st.builds(Life, AGE, LEFT), min_size=KEYS, max_size=KEYS))
def test_the_database_plans_what_the_rules_say(places: list[Place], now: datetime, lives: list[Life]) -> None:
    ApiKey.objects.all().delete()
    Reminder.objects.all().delete()
    placed = [places[at % len(places)] for at in range(KEYS)]
    keys = ApiKey.objects.bulk_create(
        _key(place, life, now) for place, life in zip(placed, lives, strict=True)
    )
    ApiKeyContact.objects.bulk_create(
        ApiKeyContact(key=key, user=place.circles[Audience.CONTACTS].user)
        for place, key in zip(placed, keys, strict=True)
    )

    planning.plan(API_KEYS, now=now)

    planned = set(Reminder.objects.values_list("subject_id", "due_at", "stage", "recipient_id"))
    assert all(key.expires_at > now - TELL_OF_THE_END_FOR for key in keys)
    assert planned == set().union(
        *(_expected(place, key, now) for place, key in zip(placed, keys, strict=True))
    )

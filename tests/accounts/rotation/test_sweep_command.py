"""``manage.py sweep_rotation`` by hand, and what it may not do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from kellexa_portal.audit import Stream
from tests.factories.audit_support import recorded
from tests.factories.credentials import api_key
from tests.factories.organizations import founder

pytestmark = pytest.mark.django_db


def test_no_key_is_said_to_have_expired_before_it_has() -> None:
    owner = founder()
    key = api_key(owner)

    call_command("sweep_rotation", "--now", (key.expires_at + timedelta(days=1)).isoformat())

    key.refresh_from_db()
    assert key.expiry_recorded_at is None
    assert "key.expired" not in recorded(Stream.organization(owner.organization.public_id))


def test_nobody_is_reminded_ahead_of_the_clock_outside_development(settings: Any) -> None:
    settings.DEVELOPMENT = False

    with pytest.raises(CommandError, match="ahead of the clock"):
        call_command("sweep_rotation", "--now", (timezone.now() + timedelta(days=1)).isoformat())


@pytest.mark.parametrize("text", ["garbage", "2026-13-01T00:00:00Z", "2026-05-17T09:00:00"])
def test_what_is_no_instant_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(CommandError, match="instant"):
        call_command("sweep_rotation", "--now", text)

"""The second step of a sign-in as a browser meets it."""

from __future__ import annotations

from django.test import Client
from django.utils import timezone

from accounts.identity.models import User
from accounts.mfa import rules
from accounts.mfa.models import TotpDevice
from kellexa_portal.audit import Stream
from kellexa_portal.audit.queries import events_of

VERIFY = "/accounts/login/verify/"
OVERVIEW = "/accounts/mfa/"


def is_signed_in(client: Client) -> bool:
    """Whether ``client`` sees a page that needs both factors."""
    return client.get(OVERVIEW).status_code == 200


def wrong_code(device: TotpDevice) -> str:
    """Six digits that no step near now has."""
    step = rules.step_at(timezone.now())
    near = {rules.code_at(device.open_seed(), step + offset) for offset in range(-30, 31)}
    return next(f"{number:06d}" for number in range(100) if f"{number:06d}" not in near)


def event_names(user: User) -> list[str]:
    """What is on record about ``user``, oldest first."""
    return [event.name for event in events_of(Stream.user(user.public_id)).order_by("pk")]

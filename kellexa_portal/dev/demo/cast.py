"""Who and what the demo invents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from accounts.credentials.models import ApiKey
from accounts.identity.models import StaffAssignment
from accounts.organizations.models import Membership

DOMAINS = {"Acme": "acme.example", "Globex": "globex.example"}
PLATFORM = "Kellexa platform (demo)"
OPERATOR = "operator@platform.example"
PROSPECT = "prospect@initech.example"
STAFF_DOMAIN = "staff.example"

ROLES = tuple(Membership.Role)
STAFF_ROLES = tuple(StaffAssignment.Role)


def email_of(role: str, organization: str) -> str:
    return f"{role}@{DOMAINS[organization]}"


def staff_email_of(role: str) -> str:
    return f"{role.replace('_', '-')}@{STAFF_DOMAIN}"


@dataclass(frozen=True, slots=True)
class DemoKey:
    """One key: whose it is, how old, and what became of it."""

    name: str
    organization: str
    owner_role: str
    scopes: tuple[str, ...]
    kind: str = ApiKey.Kind.SERVICE
    environment: str = ApiKey.Environment.LIVE
    networks: tuple[str, ...] = ()
    age: timedelta = timedelta(days=2)
    lifetime: timedelta = timedelta(days=90)
    used_ago: timedelta | None = None
    is_rotated: bool = False
    is_revoked: bool = False


@dataclass(frozen=True, slots=True)
class DemoInvitation:
    """One open invitation: of whom, as what."""

    email: str
    role: str
    is_expired: bool = False


INVITING, STRICT = "Acme", "Globex"
INVITATIONS = (
    DemoInvitation("new-colleague@acme.example", Membership.Role.MEMBER),
    DemoInvitation("forgotten@acme.example", Membership.Role.AUDITOR, is_expired=True),
)

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)

KEYS = (
    DemoKey(
        "Deploy bot",
        "Acme",
        "security",
        ("workflows:read", "workflows:run"),
        age=12 * DAY,
        used_ago=4 * MINUTE,
    ),
    DemoKey(
        "Nightly export",
        "Acme",
        "security",
        ("workflows:read",),
        age=81 * DAY,
        used_ago=DAY,
    ),
    DemoKey(
        "Billing sync", "Acme", "admin", ("workflows:run",), age=89 * DAY + 20 * DAY / 24, used_ago=3 * DAY
    ),
    DemoKey(
        "Old warehouse loader",
        "Acme",
        "admin",
        ("workflows:run",),
        age=120 * DAY,
        lifetime=300 * DAY,
        used_ago=64 * DAY,
    ),
    DemoKey(
        "Status dashboard",
        "Acme",
        "security",
        ("workflows:read",),
        age=70 * DAY,
        used_ago=9 * MINUTE,
        is_rotated=True,
    ),
    DemoKey("Summer campaign", "Acme", "admin", ("workflows:run",), age=100 * DAY, used_ago=11 * DAY),
    DemoKey(
        "Leaked in a notebook",
        "Acme",
        "owner",
        ("keys:read",),
        networks=("192.0.2.0/24",),
        age=30 * DAY,
        is_revoked=True,
    ),
    DemoKey(
        "My laptop",
        "Acme",
        "member",
        ("workflows:read", "workflows:run"),
        kind=ApiKey.Kind.PERSONAL,
        age=5 * DAY,
        used_ago=DAY,
    ),
    DemoKey(
        "Staging tests",
        "Acme",
        "admin",
        ("workflows:read",),
        environment=ApiKey.Environment.TEST,
        age=20 * DAY,
    ),
    DemoKey("Order intake", "Globex", "owner", ("workflows:run",), age=40 * DAY, used_ago=2 * MINUTE),
    DemoKey(
        "Audit reader",
        "Globex",
        "security",
        ("audit:read",),
        age=78 * DAY,
        used_ago=DAY,
    ),
)

"""People, ready made: customers without an organization, and staff with roles."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from accounts.identity import passwords
from accounts.identity.models import StaffAssignment, User

PASSWORD = "quarry-lantern-orchid-77"
"""The password of everybody here: no word of it stands in a factory's names or addresses."""

_numbers = count(1)


def user(
    *,
    email: str = "",
    password: str = PASSWORD,
    is_inactive: bool = False,
    has_old_hash: bool = False,
    has_no_password: bool = False,
    **fields: Any,
) -> User:
    """A confirmed customer. Traits: deactivated, hashed by an older algorithm, without a usable password."""
    person = User(
        email=email or f"person{next(_numbers)}@customer.example",
        is_active=not is_inactive,
        email_confirmed_at=timezone.now(),
        **{"name": "Robin Sample", **fields},
    )
    if has_no_password:
        person.set_unusable_password()
    elif has_old_hash:
        person.password = make_password(password, hasher="pbkdf2_sha256")
    else:
        person.password = passwords.make(password)
    person.save()
    return person


def staff(*roles: str, **fields: Any) -> User:
    """A member of Kellexa's staff with ``roles`` (administrator when none is named)."""
    person = user(
        is_staff=True,
        **{"email": f"staff{next(_numbers)}@staff.example", "name": "Sam Staff", **fields},
    )
    for role in roles or (StaffAssignment.Role.ADMINISTRATOR,):
        StaffAssignment.objects.create(user=person, role=role)
    return person

"""A customer with two browsers, a key and a notice; and a gateway with a way to ask about keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.credentials.actions import IssuedKey
from accounts.identity import emails
from accounts.identity.models import User
from accounts.lockdown.models import Lockdown
from accounts.organizations.models import Membership
from tests.accounts.lockdown.notice import link_to
from tests.factories import credentials, organizations
from tests.factories.credentials import gateway as make_gateway
from tests.factories.sign_in import new_person, sign_in

IsActive = Callable[[str], bool]
Notify = Callable[[User], str]


@pytest.fixture
def place(db: None) -> Membership:
    """Ada's organization."""
    return organizations.founder("Acme", owner=new_person())


@pytest.fixture
def ada(place: Membership) -> User:
    return place.user


@pytest.fixture
def mine(ada: User) -> Client:
    """Ada's browser, signed in."""
    client = Client()
    sign_in(client, ada)
    return client


@pytest.fixture
def key(place: Membership) -> IssuedKey:
    return credentials.issued(place)


@pytest.fixture
def is_active(db: None) -> IsActive:
    """Asks as a gateway whether a token is good."""
    gateway = make_gateway()

    def ask(token: str) -> bool:
        answer: HttpResponse = Client().post(
            "/api/v1/keys/verify",
            {"token": token},
            content_type="application/json",
            headers={"Authorization": f"Bearer {gateway.token}"},
        )
        found: dict[str, Any] = answer.json()
        if not found["active"]:
            assert answer.content == b'{"active": false}'
        return bool(found["active"])

    return ask


@pytest.fixture
def notify() -> Notify:
    """Mails a notice and answers the path of its link."""

    def send(user: User) -> str:
        with transaction.atomic():
            emails.password_changed(user=user, was_reset=False)
        return link_to(user.email)

    return send


@pytest.fixture
def notice(ada: User, notify: Notify) -> str:
    """The path of the link in a notice to Ada."""
    return notify(ada)


def renewed(user: User) -> User:
    """``user`` with a password chosen just now, as after the reset that a lock-down demands."""
    user.refresh_from_db()
    user.password_changed_at = timezone.now()
    user.save(update_fields=["password_changed_at"])
    return user


def the_lockdown() -> Lockdown:
    """The only one there is."""
    return Lockdown.objects.select_related("user").get()

"""An owner at their pages, and a gateway with a way to ask it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.credentials.actions import IssuedKey
from accounts.organizations.models import Membership
from tests.factories import organizations
from tests.factories.credentials import gateway as make_gateway
from tests.factories.sign_in import sign_in

VERIFY = "/api/v1/keys/verify"
INACTIVE = b'{"active": false}'

Ask = Callable[..., HttpResponse]


@pytest.fixture
def place(client: Client) -> Membership:
    """The owner of an organization, signed in."""
    founder = organizations.founder("Acme")
    sign_in(client, founder.user)
    return founder


@pytest.fixture
def gateway(db: None) -> IssuedKey:
    """The platform's key with which verification is asked."""
    return make_gateway()


@pytest.fixture
def ask(client: Client, gateway: IssuedKey) -> Ask:
    """Asks as the gateway whether a token is good."""

    def question(token: str, **fields: Any) -> HttpResponse:
        return client.post(
            VERIFY,
            {"token": token, **fields},
            content_type="application/json",
            headers={"Authorization": f"Bearer {gateway.token}"},
        )

    return question

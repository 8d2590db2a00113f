"""An organization with a verified domain and a provider on the loopback."""

from __future__ import annotations

import html
import ipaddress
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.organizations.models import Membership
from accounts.sso import oidc
from accounts.sso.models import Connection, Domain
from tests.factories.organizations import founder
from tests.factories.sign_in import enrolled, new_person
from tests.support.provider import CLIENT_ID, CLIENT_SECRET, Provider

START = "/accounts/login/sso/"
CALLBACK = "/accounts/login/sso/{}/callback/"
SETTINGS = "/accounts/organization/sso/"
GO = re.compile(r'href="(http://127\.0\.0\.1:\d+/authorize\?[^"]+)"')


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    """A provider that vouches for ada@acme.test."""
    settings.EGRESS_ALLOW = (ipaddress.ip_network("127.0.0.0/8"),)
    with Provider() as provider:
        yield provider


@pytest.fixture
def owner() -> Membership:
    """The owner of Acme, with a password and a second factor."""
    place = founder("Acme", owner=new_person("owner@acme.test"))
    enrolled(place.user)
    return place


@pytest.fixture
def domain(owner: Membership) -> Domain:
    """acme.test, verified for Acme."""
    return verified(owner, "acme.test")


@pytest.fixture
def connection(owner: Membership, domain: Domain, provider: Provider) -> Connection:
    """Acme's provider, tested."""
    return connected(owner, provider)


def verified(place: Membership, name: str) -> Domain:
    """A domain of the organization of ``place``."""
    now = timezone.now()
    return Domain.objects.create(
        organization=place.organization, name=name, token="t" * 40, verified_at=now, checked_at=now
    )


def connected(place: Membership, provider: Provider, **fields: Any) -> Connection:
    """``provider``, tested, for the organization of ``place``."""
    connection = Connection(
        organization=place.organization,
        issuer=provider.issuer,
        client_id=CLIENT_ID,
        metadata=oidc.discover(provider.issuer),
        **{"tested_at": timezone.now(), **fields},
    )
    connection.close_secret(CLIENT_SECRET)
    connection.save()
    return connection


def set_out(client: Client, email: str = "ada@acme.test", **form: str) -> str:
    """The provider's address that the portal leads to."""
    page = client.post(START, {"email": email, **form})
    assert page.status_code == 200, page.content.decode()
    return address_in(page)


def address_in(page: HttpResponse) -> str:
    """The provider's address on the page that leads there."""
    found = GO.search(page.content.decode())
    assert found is not None, page.content.decode()
    return html.unescape(found.group(1))


def come_back(client: Client, connection: Connection, answer: dict[str, str]) -> HttpResponse:
    """The browser's return with ``answer``."""
    return client.get(CALLBACK.format(connection.public_id), answer)


def arrive(client: Client, connection: Connection, provider: Provider, **overrides: str) -> HttpResponse:
    """The whole trip."""
    return come_back(client, connection, provider.sign_in(set_out(client), **overrides))
